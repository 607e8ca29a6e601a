import { stdout } from 'node:process';
import { type Command, Option } from 'commander';
import type { HostAndPort } from '../io/net/host-and-port.ts';
import { Failure } from '../io/os/failure.ts';
import type { RelayReport } from '../session/relay/relay-report.ts';
import { CLEAN_LINK } from '../sim/link/clean-link.ts';
import { formatLinkSpecification } from '../sim/link/link-format.ts';
import type { LinkSpecification } from '../sim/link/link-specification.ts';
import { PRESETS } from '../sim/link/presets.ts';
import { type CommonOptions, Context } from './context.ts';
import { Interrupt } from './interrupt.ts';
import type { TunCommandOptions } from './link-tun.ts';
import { addMetricsOption, type MetricsCommandOptions, serveMetrics } from './metrics-option.ts';
import { HELP_OPTION, REPORTS } from './option-groups.ts';
import { readAddress, readCongestionControl, readLink, readSeconds, readWhole } from './options.ts';

interface RelayCommandOptions extends CommonOptions, MetricsCommandOptions {
  readonly listen: HostAndPort;
  readonly to: HostAndPort;
  readonly link: LinkSpecification;
  readonly linkBack?: LinkSpecification;
  readonly duration?: number;
  readonly report?: string;
}

type LinkCommandOptions = Partial<RelayCommandOptions> & TunCommandOptions & { readonly tun?: boolean };

const NAMESPACE = 'Network namespace:';
/** Each client takes a socket; 256 of them are a quarter of the usual limit of a process. */
const CLIENTS_MAX = 256;
/** A NAT keeps a UDP mapping for at least this long (RFC 4787 §4.3), and no link delays a datagram for longer. */
const IDLE_MS = 120_000;
/** Two seconds at 1 Gb/s. */
const HELD_BYTES_MAX = 256_000_000;

export function addLinkCommand(program: Command): void {
  const command = program
    .command('link')
    .description(
      'put any program behind a repeatable bad network: a UDP relay, or with --tun a network namespace for a command',
    )
    .argument('[command...]', 'with --tun, after --: the command to run in the namespace')
    .optionsGroup('UDP relay:')
    .addOption(
      new Option('--listen <address>', 'address the relay listens on; point the program at it').argParser(readAddress),
    )
    .addOption(
      new Option('--to <address>', 'destination of the datagrams; answers return through the relay').argParser(
        readAddress,
      ),
    )
    .optionsGroup(NAMESPACE)
    .option(
      '--tun',
      'run a command in a namespace that reaches itself as 10.9.0.2 or fd09::2 across the link: TCP, UDP, ICMP (Linux)',
    )
    .optionsGroup('Impairments:')
    .addOption(
      new Option(
        '--link <text>',
        'impairments of the forward direction, and of the way back without --link-back: "loss=5% burst=3 delay=20ms jitter=2ms dup=0.1% ' +
          'corrupt=0.1% rate=8mbit queue=100ms order=kept seed=1"',
      )
        .default(CLEAN_LINK, 'no impairment')
        .argParser(readLink),
    )
    .addOption(new Option('--link-back <text>', 'impairments of the way back').argParser(readLink))
    .optionsGroup(NAMESPACE)
    .option('--pcap <file>', 'with --tun: capture the packets at both ends of the link as pcapng')
    .addOption(
      new Option('--mtu <bytes>', 'with --tun: largest packet, bytes (default: 1500)').argParser(
        readWhole({ min: 576, max: 65_535 }, 'bytes'),
      ),
    )
    .addOption(
      new Option('--congestion <name>', 'with --tun: congestion control of TCP, such as reno, cubic or bbr').argParser(
        readCongestionControl,
      ),
    )
    .addOption(
      new Option(
        '--notsent-lowat <bytes>',
        'with --tun: unsent bytes above which a TCP socket is not writable',
      ).argParser(readWhole({ min: 1, max: 0xffff_ffff }, 'bytes')),
    )
    .optionsGroup(REPORTS)
    .helpOption(...HELP_OPTION);
  addMetricsOption(command)
    .addOption(new Option('--duration <seconds>', 'stop after this time').argParser(readSeconds))
    .option('--report <file>', 'write the report as JSON')
    .option('--json', 'print counters every second and the report as JSON lines on stdout; log as JSON lines')
    .option('-q, --quiet', 'log errors only')
    .option('-v, --verbose', 'log more detail')
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

All options of a link are in docs/LINK.md. Presets:
${presetNames()}.

SRT through the relay, one line in each of three terminals:
  srt-live-transmit "srt://127.0.0.1:9002?mode=listener" udp://127.0.0.1:5000
  dropframe link --listen 127.0.0.1:9000 --to 127.0.0.1:9002 --link "loss=5% delay=20ms"
  srt-live-transmit udp://127.0.0.1:4000 "srt://127.0.0.1:9000?mode=caller"

The relay passes on any datagram. Each client (address and port) has its own pair of links with the same seed: the n-th
datagram of every client meets the same fate in every run. The two directions use different random streams, even when
--link serves both. Up to ${CLIENTS_MAX} clients at once; after ${IDLE_MS / 1_000} s of silence a client's state expires, and its random
sequence restarts. Datagrams leave a few tenths of a millisecond late; the report says how late (lateness).
Ctrl-C stops the relay and prints the report; a second one exits at once. Exit codes: 0 success, 1 failed, 2 usage error,
130 interrupted twice.

With --tun the command owns stdin, stdout, stderr, Ctrl-C and the exit code. The report goes to stderr, with --json as a
JSON line. The side that opens a connection sends over --link and receives over --link-back. The namespace has no route
to the outside, and every process left in it is killed when the command ends. See docs/LINK-TUN.md.`,
    )
    .action(link);
}

/** Names of the presets, on two lines. */
function presetNames(): string {
  const names = PRESETS.map(({ name }) => name);
  const half = Math.ceil(names.length / 2);
  return `${names.slice(0, half).join(', ')},\n${names.slice(half).join(', ')}`;
}

/** Options that apply to one kind of link only. */
const ONLY_TUN = ['pcap', 'mtu', 'congestion', 'notsentLowat'] as const;
const ONLY_RELAY = ['listen', 'to'] as const;

async function link(command: readonly string[], options: LinkCommandOptions): Promise<void> {
  const { listen, to, tun, ...rest } = options;
  const misplaced = (tun ? ONLY_RELAY : ONLY_TUN).find((name) => options[name] !== undefined);
  if (misplaced !== undefined) {
    const name = `--${misplaced.replace('L', '-l')}`;
    throw new Failure(`${name} ${tun ? 'cannot be used with --tun' : 'requires --tun'}`, 2);
  }
  if (tun) {
    const { linkTun } = await import('./link-tun.ts');
    process.exitCode = await linkTun(command, rest);
    return;
  }
  if (command.length > 0) throw new Failure(`running a command (${command[0]}) requires --tun`, 2);
  if (!listen) throw new Failure('--listen is required: the address that the program sends to', 2);
  if (!to) throw new Failure('--to is required: the destination of the datagrams', 2);
  await linkRelay({ ...rest, listen, to });
}

async function linkRelay(options: RelayCommandOptions): Promise<void> {
  if (options.to.port === 0) throw new Failure('--to: port 0 is not a destination', 2);
  const [{ UdpRelay }, { formatAddress }, { relayReportText, relayStatus }, { writeJson }] = await Promise.all([
    import('../session/relay/udp-relay.ts'),
    import('../io/net/host-address.ts'),
    import('./link-text.ts'),
    import('./result-file.ts'),
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
  const metrics = await serveMetrics(options, log, async () => {
    const { linkMetrics } = await import('../session/metrics/link-metrics.ts');
    return () => linkMetrics(relay.report);
  }).catch((error: unknown) => {
    relay.close();
    throw error;
  });
  const { listen, to } = relay.addresses;
  log.info(`relaying ${formatAddress(listen)} to ${formatAddress(to)}; press Ctrl-C to stop`);
  log.info(`link forward: ${formatLinkSpecification(options.link)} · back: ${formatLinkSpecification(linkBack)}`);
  context.showStatus(relayStatus(() => relay.report));
  const ticker = options.json ? setInterval(() => writeLine('statistics', relay.report), 1_000) : undefined;
  const timer = options.duration === undefined ? undefined : setTimeout(finish, options.duration);
  await finished;
  clearInterval(ticker);
  clearTimeout(timer);
  await metrics?.close();
  relay.close();
  context.closeStatus();
  const { report } = relay;
  context.print(relayReportText(report));
  if (options.json) writeLine('report', report);
  if (options.report !== undefined) await writeJson('the report', options.report, report);
  interrupt.dispose();
}

const writeLine = (kind: string, report: RelayReport) => stdout.write(`${JSON.stringify({ kind, ...report })}\n`);
