import { writeFile } from 'node:fs/promises';
import { stdout } from 'node:process';
import { type Command, Option } from 'commander';
import { causeOf, Failure } from '../io/os/failure.ts';
import type { RelayReport } from '../session/relay/relay-report.ts';
import { CLEAN_LINK } from '../sim/link/clean-link.ts';
import { formatLinkSpecification } from '../sim/link/link-format.ts';
import type { LinkSpecification } from '../sim/link/link-specification.ts';
import { PRESETS } from '../sim/link/presets.ts';
import { type CommonOptions, Context } from './context.ts';
import { Interrupt } from './interrupt.ts';
import { relayReportText, relayStatusText } from './link-text.ts';
import type { TunCommandOptions } from './link-tun.ts';
import { type HostAndPort, readAddress, readCongestionControl, readLink, readSeconds, readWhole } from './options.ts';

interface RelayCommandOptions extends CommonOptions {
  readonly listen: HostAndPort;
  readonly to: HostAndPort;
  readonly link: LinkSpecification;
  readonly linkBack?: LinkSpecification;
  readonly duration?: number;
  readonly report?: string;
}

type LinkCommandOptions = Partial<RelayCommandOptions> & TunCommandOptions & { readonly tun?: boolean };

/** Each takes a socket, and 256 of them a quarter of what a process may have open. */
const CLIENTS_MAX = 256;
/** A NAT keeps a UDP mapping for at least so long (RFC 4787 §4.3), and no link delays for longer. */
const IDLE_MS = 120_000;
/** Two seconds of a gigabit a second. */
const HELD_BYTES_MAX = 256_000_000;

export function addLinkCommand(program: Command): void {
  program
    .command('link')
    .description(
      'a bad network for any program, repeatably: a relay for UDP, or (--tun) a network of its own for a command',
    )
    .argument('[command...]', 'with --tun, and after --: what runs in the network of its own')
    .addOption(
      new Option('--listen <address>', 'where the program that is to have a bad network sends to').argParser(
        readAddress,
      ),
    )
    .addOption(
      new Option('--to <address>', 'where its datagrams go; the answers come back the same way').argParser(readAddress),
    )
    .option('--tun', 'runs a command that reaches itself, over TCP, UDP and all else, as 10.9.0.2 or fd09::2 (Linux)')
    .addOption(
      new Option(
        '--link <text>',
        'the way there, and the way back unless --link-back tells: "loss=5% burst=3 delay=20ms jitter=2ms dup=0.1% ' +
          'corrupt=0.1% rate=8mbit queue=100ms order=kept seed=1"',
      )
        .default(CLEAN_LINK, 'a clean one')
        .argParser(readLink),
    )
    .addOption(new Option('--link-back <text>', 'the way back').argParser(readLink))
    .addOption(new Option('--duration <seconds>', 'end after so long').argParser(readSeconds))
    .option('--report <file>', 'write the report as JSON')
    .option('--pcap <file>', 'with --tun: write what crosses the link as pcapng')
    .addOption(
      new Option('--mtu <bytes>', 'with --tun: the longest packet, 1500 unless told').argParser(
        readWhole({ min: 576, max: 65_535 }, 'bytes'),
      ),
    )
    .addOption(
      new Option('--congestion <name>', "with --tun: TCP's congestion control: reno, cubic, bbr").argParser(
        readCongestionControl,
      ),
    )
    .addOption(
      new Option(
        '--notsent-lowat <bytes>',
        'with --tun: unsent bytes above which a TCP socket takes no more',
      ).argParser(readWhole({ min: 1, max: 0xffff_ffff }, 'bytes')),
    )
    .option('--json', 'counters each second and the report as JSON lines on stdout; logs as JSON lines')
    .option('-q, --quiet', 'errors only')
    .option('-v, --verbose', 'more of what happens')
    .addHelpText(
      'after',
      `
Examples:
  dropframe link --tun --link "loss=2% burst=4 delay=25ms" -- bash
  dropframe link --tun --link "loss=1% delay=20ms" --congestion reno --pcap out.pcapng -- sh -c 'server & client 10.9.0.2'
  dropframe link --listen 127.0.0.1:9000 --to 127.0.0.1:9002 --link "loss=5% delay=20ms jitter=2ms seed=7"
  dropframe link --listen 127.0.0.1:9000 --to 127.0.0.1:9002 --link "rate=4mbit queue=50ms" --link-back "delay=20ms"
  dropframe link --listen [::1]:9000 --to camera.local:5004 --link loss=1% --duration 60 --report report.json
  dropframe link --listen 127.0.0.1:9000 --to 127.0.0.1:9002 --link "preset=cellular"
  dropframe link --listen 127.0.0.1:9000 --to 127.0.0.1:9002 --link "loss=1% delay=20ms at 10s: loss=20% at 15s: loss=1%"
  dropframe link --listen 127.0.0.1:9000 --to 127.0.0.1:9002 --link 'netem="loss gemodel 1% 30% delay 50ms 10ms"'

All that a link can do is in docs/LINK.md. Presets:
${presetNames()}.

SRT through it, one line each in three terminals:
  srt-live-transmit "srt://127.0.0.1:9002?mode=listener" udp://127.0.0.1:5000
  dropframe link --listen 127.0.0.1:9000 --to 127.0.0.1:9002 --link "loss=5% delay=20ms"
  srt-live-transmit udp://127.0.0.1:4000 "srt://127.0.0.1:9000?mode=caller"

It passes on what it is sent, whatever that is. Each client (an address and a port) has links of its own, with the same
seed: the n-th datagram of every client meets the same fate in every run. The two ways draw from different streams, also
where --link serves both. ${CLIENTS_MAX} clients at once; one that is silent for ${IDLE_MS / 1_000} s is forgotten, and starts anew.
Datagrams leave a few tenths of a millisecond later than asked; the report says how much (lateness).
Ctrl-C ends it and prints the report, a second one at once. Exit codes: 0 fine, 1 failed, 2 usage, 130 interrupted twice.

With --tun the command has stdin, stdout, stderr, Ctrl-C and the exit code; our report goes to stderr, and with --json it
is a JSON line there. Whoever opens a conversation speaks over --link and is answered over --link-back. There is no way
out of that network, and whatever still runs in it when the command ends is ended. docs/LINK-TUN.md tells the rest.`,
    )
    .action(link);
}

/** On lines of their own length. */
function presetNames(): string {
  const names = PRESETS.map(({ name }) => name);
  const half = Math.ceil(names.length / 2);
  return `${names.slice(0, half).join(', ')},\n${names.slice(half).join(', ')}`;
}

/** Options of one kind of link that make no sense for the other. */
const ONLY_TUN = ['pcap', 'mtu', 'congestion', 'notsentLowat'] as const;
const ONLY_RELAY = ['listen', 'to'] as const;

async function link(command: readonly string[], options: LinkCommandOptions): Promise<void> {
  const { listen, to, tun, ...rest } = options;
  const misplaced = (tun ? ONLY_RELAY : ONLY_TUN).find((name) => options[name] !== undefined);
  if (misplaced !== undefined) {
    const name = `--${misplaced.replace('L', '-l')}`;
    throw new Failure(`${name} ${tun ? 'does not go with --tun' : 'is only for --tun'}`, 2);
  }
  if (tun) {
    const { linkTun } = await import('./link-tun.ts');
    process.exitCode = await linkTun(command, rest);
    return;
  }
  if (command.length > 0) throw new Failure(`a command (${command[0]}) needs --tun`, 2);
  if (!listen) throw new Failure('--listen is missing: where the program that is to have a bad network sends to', 2);
  if (!to) throw new Failure('--to is missing: where its datagrams go', 2);
  await linkRelay({ ...rest, listen, to });
}

async function linkRelay(options: RelayCommandOptions): Promise<void> {
  if (options.to.port === 0) throw new Failure('--to: port 0 cannot be reached', 2);
  const [{ UdpRelay }, { formatAddress }] = await Promise.all([
    import('../session/relay/udp-relay.ts'),
    import('../io/net/host-address.ts'),
  ]);
  const context = new Context(options);
  const { log } = context;
  let finish = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const interrupt = new Interrupt(() => finish());
  const linkBack = options.linkBack ?? options.link;
  const relay = await UdpRelay.open({
    listen: options.listen,
    to: options.to,
    link: options.link,
    linkBack,
    clientsMax: CLIENTS_MAX,
    idleMs: IDLE_MS,
    heldBytesMax: HELD_BYTES_MAX,
    log,
  });
  const { listen, to } = relay.addresses;
  log.info(`relaying ${formatAddress(listen)} to ${formatAddress(to)}; Ctrl-C ends it`);
  log.info(`link there: ${formatLinkSpecification(options.link)} · back: ${formatLinkSpecification(linkBack)}`);
  context.showStatus(relayStatusText(() => relay.report));
  const ticker = options.json ? setInterval(() => writeLine('statistics', relay.report), 1_000) : undefined;
  const timer = options.duration === undefined ? undefined : setTimeout(finish, options.duration);
  await finished;
  clearInterval(ticker);
  clearTimeout(timer);
  relay.close();
  context.closeStatus();
  const { report } = relay;
  context.print(relayReportText(report));
  if (options.json) writeLine('report', report);
  if (options.report !== undefined) await writeReport(options.report, report);
  interrupt.dispose();
}

const writeLine = (kind: string, report: RelayReport) => stdout.write(`${JSON.stringify({ kind, ...report })}\n`);

async function writeReport(path: string, report: RelayReport): Promise<void> {
  try {
    await writeFile(path, `${JSON.stringify(report, null, 2)}\n`);
  } catch (error) {
    throw new Failure(`cannot write the report ${path}: ${causeOf(error)}`);
  }
}
