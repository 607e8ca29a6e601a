import { stdout } from 'node:process';
import { type Command, Option } from 'commander';
import type { HostAndPort } from '../io/net/host-and-port.ts';
import { Failure } from '../io/os/failure.ts';
import type { PageListen } from '../io/web-server/network-entrance.ts';
import { MEND_MS_DEFAULT } from '../protocol/control/latency-limit.ts';
import { RECOVERIES } from '../protocol/control/recovery.ts';
import type { Recovery } from '../receiver/receiver-options.ts';
import type { ReceiveRun } from '../session/run/receive-run.ts';
import type { PlayChoice } from '../session/run/viewer.ts';
import type { Client, ClientEvents } from '../session/stream/client.ts';
import type { LinkSpecification } from '../sim/link/link-specification.ts';
import {
  CONGESTION_CONTROL_DEFAULT,
  CONGESTION_CONTROLS,
  type CongestionControlName,
} from '../sim/tcp/congestion-control.ts';
import { type CommonOptions, Context } from './context.ts';
import { addReceiverEncryption, passphraseOf, type ReceiverEncryptionOptions } from './encryption-options.ts';
import { Interrupt } from './interrupt.ts';
import { Keys } from './keys.ts';
import { addMetricsOption, type MetricsCommandOptions, serveMetrics } from './metrics-option.ts';
import { HELP_OPTION, REPORTS } from './option-groups.ts';
import {
  readAddress,
  readLatency,
  readLink,
  readMend,
  readPageListen,
  readSeconds,
  readShare,
  readWhole,
} from './options.ts';
import { RECEIVE_HELP } from './receive-help.ts';
import type { ReceiveTarget } from './receive-target.ts';
import { addSecondPathOptions, type SecondPathOptions, secondPathOf } from './second-path-options.ts';

export interface ReceiveCommandOptions extends CommonOptions, ReceiverEncryptionOptions, MetricsCommandOptions {
  readonly latency: number;
  readonly transport: 'auto' | 'udp' | 'tcp';
  readonly recovery: Recovery;
  readonly redundancy?: number;
  readonly play: PlayChoice;
  readonly output?: string;
  readonly release: 'deadline' | 'asap';
  readonly onLoss: 'freeze' | 'smear';
  readonly mend: number;
  readonly link?: LinkSpecification;
  readonly congestion: CongestionControlName;
  readonly timeout: number;
  /** Where the reports on plain RTP go. */
  readonly rtcpTo?: HostAndPort;
  readonly summary?: string;
  readonly pcap?: string;
  readonly pagePort?: number;
  readonly pageListen?: PageListen;
  readonly openBrowser: boolean;
  /** False to decline the sound; the demo has none. */
  readonly audio?: boolean;
}

export const LINK_HELP =
  'impair this receiver\'s path in both directions, repeatably: "loss=5% burst=3 delay=20ms jitter=2ms dup=0.1% corrupt=0.1% ' +
  'rate=8mbit queue=100ms order=kept seed=1"';

const TIMING = 'Delay and display:';
const RECOVERY = 'Transport and recovery:';

/** Error for `--congestion` without a modelled TCP. */
export const CONGESTION_UNUSED =
  '--congestion applies to the modelled TCP only: use it with --transport tcp and --link';

/** Adds the options shared by `receive` and `demo`. @param latencyMs default play-out delay, milliseconds. */
export function addReceiverOptions(command: Command, latencyMs = 120): Command {
  command
    .optionsGroup(TIMING)
    .addOption(
      new Option(
        '--latency <ms>',
        'play-out delay above the fastest transit, milliseconds; later frames are dropped; allow three round trips for nack',
      )
        .default(latencyMs)
        .argParser(readLatency),
    )
    .optionsGroup(RECOVERY)
    .addOption(
      new Option(
        '--transport <kind>',
        'transport of the media; auto is UDP, or TCP where no datagram arrives for two seconds',
      )
        .choices(['auto', 'udp', 'tcp'])
        .default('auto'),
    )
    .addOption(
      new Option(
        '--recovery <how>',
        'loss recovery over UDP. none: discard out-of-order packets; reorder: accept them, no retransmission; nack: ' +
          'retransmission; fec: repair packets; hybrid: retransmission if it can arrive before the deadline, else repair packets',
      )
        .choices(RECOVERIES)
        .default('hybrid'),
    )
    .addOption(
      new Option(
        '--redundancy <share>',
        'limit of retransmitted and repair bytes, as a share of the media; with fec: repair packets per media packet, rounded up per frame (default: 25%)',
      ).argParser(readShare),
    )
    .optionsGroup(TIMING)
    .addOption(
      new Option(
        '--release <when>',
        'when to show a frame: at its deadline, which keeps the capture timing, or as soon as it can be decoded',
      )
        .choices(['deadline', 'asap'])
        .default('deadline'),
    )
    .addOption(
      new Option(
        '--on-loss <what>',
        'after a lost frame: freeze holds the last frame until the next key frame, smear shows what still decodes',
      )
        .choices(['freeze', 'smear'])
        .default('freeze'),
    )
    .optionsGroup(RECOVERY)
    .addOption(
      new Option(
        '--mend <time>',
        'time after its deadline for which a missing reference frame is still requested; 0 drops it ' +
          '(udp, recovery nack or hybrid; with on-loss smear, for the recording only)',
      )
        .default(MEND_MS_DEFAULT, '5s')
        .argParser(readMend),
    )
    .optionsGroup('Impaired path:')
    .addOption(new Option('--link <text>', LINK_HELP).argParser(readLink))
    .addOption(
      new Option('--congestion <control>', 'congestion control of the modelled TCP (--transport tcp with --link)')
        .choices(CONGESTION_CONTROLS)
        .default(CONGESTION_CONTROL_DEFAULT),
    )
    .optionsGroup('Player and files:')
    .addOption(
      new Option('--play <where>', 'player; auto: the best one found, or a page in the browser')
        .choices(['auto', 'mpv', 'ffplay', 'vlc', 'browser', 'none'])
        .default('auto'),
    )
    .addOption(
      new Option(
        '--page-port <port>',
        'port of the page on 127.0.0.1; 0: any free port (default: 7080, or any free port where it is in use)',
      ).argParser(readWhole({ min: 0, max: 65_535 }, 'a port')),
    )
    .addOption(
      new Option(
        '--page-listen <address>',
        'serve the page to other devices as well, by HTTPS and with a secret in its address, on HOST or HOST:PORT; ' +
          '0.0.0.0: on all addresses (default port: 7081, or any free port where it is in use)',
      ).argParser(readPageListen),
    )
    .option('--no-open-browser', 'print the address of the page without opening it')
    .option(
      '--output <file>',
      'record to FILE.mp4, FILE.mkv, FILE.ts, FILE.h264 or FILE.h265; - writes Annex B to stdout',
    )
    .option('--pcap <file>', "capture this receiver's datagrams for Wireshark")
    .optionsGroup(RECOVERY)
    .addOption(
      new Option('--timeout <seconds>', 'give up after this time without a sender or without media')
        .default(30_000, '30')
        .argParser(readSeconds),
    )
    .optionsGroup(REPORTS)
    .helpOption(...HELP_OPTION);
  return addMetricsOption(command)
    .option('--summary <file>', 'write the summary as JSON')
    .option('--json', 'print statistics every second and the summary as JSON lines on stdout; log as JSON lines')
    .option('-q, --quiet', 'log errors only')
    .option('-v, --verbose', 'log more detail');
}

export function addReceiveCommand(program: Command): void {
  const command = program
    .command('receive')
    .description('receive a stream, play or record it, and print a summary')
    .argument(
      '<url>',
      'dropframe://HOST:PORT, with options as in ?latency=200&recovery=none, or HOST or HOST:PORT (port 7000 if none is given); or ' +
        'rtp://HOST:PORT, rist://@HOST:PORT, or FILE.sdp',
    )
    .action(async (url: string) => {
      await receive(url, command);
    });
  addReceiverEncryption(command);
  addSecondPathOptions(addReceiverOptions(command))
    .optionsGroup('Player and files:')
    .option('--no-audio', 'leave the sound out')
    .optionsGroup(RECOVERY)
    .addOption(
      new Option(
        '--rtcp-to <address>',
        'plain RTP: HOST:PORT at which the sender awaits RTCP, if it is not the one that its RTCP comes from',
      ).argParser(readAddress),
    )
    .addHelpText('after', RECEIVE_HELP);
}

async function receive(url: string, command: Command): Promise<void> {
  const [{ ReceiveRun }, { latencyOf, receiveTarget, recoveryOf }, { checkWritable }] = await Promise.all([
    import('../session/run/receive-run.ts'),
    import('./receive-target.ts'),
    import('../io/os/writable-path.ts'),
    // Needed soon for most addresses: loaded at once, all take as long as the slowest.
    import('../session/stream/dropframe-client.ts'),
    import('../session/stream/server-security.ts'),
    import('./summary-text.ts'),
    import('./result-file.ts'),
  ]);
  const target = await receiveTarget(url, command);
  const options = command.opts<ReceiveCommandOptions & SecondPathOptions>();
  if (options.json && options.output === '-') {
    throw new Failure('--json and --output - both write to stdout: record to a file instead', 2);
  }
  const given = (name: string) => command.getOptionValueSource(name) === 'cli';
  const isForeign = target.kind !== 'dropframe';
  if (isForeign && options.transport === 'tcp') {
    throw new Failure(`${url}: plain RTP and RIST use UDP; --transport tcp requires a dropframe:// address`, 2);
  }
  if (given('congestion') && (options.transport !== 'tcp' || !options.link)) throw new Failure(CONGESTION_UNUSED, 2);
  if (options.summary !== undefined) await checkWritable(options.summary);
  const second = await secondPathOf(options, { given, isForeign, transport: options.transport });
  const context = new Context(options);
  if (target.kind !== 'rtp' && options.rtcpTo !== undefined) {
    throw new Failure('--rtcp-to is for plain RTP: an rtp:// address or an SDP file', 2);
  }
  const recovery = recoveryOf(target, options.recovery, given('recovery'));
  if (isForeign && recovery !== options.recovery && given('recovery')) {
    context.log.warn(
      `plain RTP and RIST have neither repair packets nor deadlines in their requests; using --recovery ${recovery}`,
    );
  }
  if (target.kind === 'rtp' && target.refusedSound && options.audio) context.log.warn(target.refusedSound);
  const latencyMs = latencyOf(target, options.latency, given('latency'));
  const run = new ReceiveRun({
    connect: await clientFor(url, target, { ...options, recovery, latency: latencyMs }, second),
    transport: isForeign ? 'rtp' : options.transport,
    ipv6: target.host.includes(':'),
    latencyMs,
    recovery,
    link: options.link,
    play: options.play,
    pagePort: options.pagePort,
    pageListen: options.pageListen,
    openBrowser: options.openBrowser,
    output: options.output,
    capture: options.pcap,
    log: context.log,
    onFirstPicture: (afterMs) => context.log.debug(`first picture after ${afterMs} ms`),
  });
  const interrupt = new Interrupt(() => run.stop());
  await reportRun(run, context, options);
  interrupt.dispose();
}

async function clientFor(
  url: string,
  target: ReceiveTarget,
  options: ReceiveCommandOptions,
  second: Awaited<ReturnType<typeof secondPathOf>>,
): Promise<(events: ClientEvents) => Client> {
  const { host, port } = target;
  const { latency: latencyMs, timeout: timeoutMs, transport, recovery, redundancy, release, onLoss, link } = options;
  const common = { host, port, latencyMs, timeoutMs, release, onLoss, link };
  if (target.kind === 'dropframe') {
    const [{ dropframeClient }, { checkPassphrase }] = await Promise.all([
      import('../session/stream/dropframe-client.ts'),
      import('../session/stream/server-security.ts'),
    ]);
    const { congestion: congestionControl, mend: mendMs, fingerprint } = options;
    const passphrase = passphraseOf(options);
    return dropframeClient({
      ...common,
      fingerprint,
      passphrase: passphrase === undefined ? undefined : checkPassphrase(passphrase),
      transport,
      recovery,
      redundancy,
      mendMs,
      sound: options.audio,
      records: options.output !== undefined,
      congestionControl,
      second,
    });
  }
  if ((options.fingerprint ?? options.passphrase ?? options.passphraseFile) !== undefined) {
    throw new Failure(
      'plain RTP and RIST are not encrypted: --fingerprint and passphrases are for dropframe:// only',
      2,
    );
  }
  const requesting = recovery === 'none' || recovery === 'reorder' ? recovery : 'nack';
  if (target.kind === 'rist') {
    const { RistClient } = await import('../session/rist/rist-client.ts');
    return (events) => new RistClient({ ...common, name: url, recovery: requesting }, events);
  }
  const { codecName, payloadType, parameterSets, feedback, sound } = target;
  const { rtcpPort, keyFrames, retransmissionPayloadType } = feedback;
  const [{ RtpClient }, { MEDIA_NAME_CHARACTERS_MAX, presentable }] = await Promise.all([
    import('../session/rtp/rtp-client.ts'),
    import('../protocol/control/control-message.ts'),
  ]);
  const name = presentable(url, MEDIA_NAME_CHARACTERS_MAX);
  const session = {
    ...common,
    name,
    codecName,
    payloadType,
    parameterSets,
    ...(rtcpPort !== undefined && { rtcpPort }),
    reportTo: options.rtcpTo,
    mendMs: options.mend,
    keyFrames,
    retransmissionPayloadType,
    sound: options.audio ? sound : undefined,
  };
  return (events) => new RtpClient({ ...session, recovery: requesting }, events);
}

/** Runs a receiver to its end with a status line, JSON lines if asked for, and the summary. */
export async function reportRun(
  run: ReceiveRun,
  context: Context,
  options: Pick<ReceiveCommandOptions, 'json' | 'summary' | 'metrics'>,
): Promise<void> {
  const [{ receiverStatus, summaryText }, { writeJson }] = await Promise.all([
    import('./summary-text.ts'),
    import('./result-file.ts'),
  ]);
  const metrics = await serveMetrics(options, context.log, async () => {
    const [{ receiverMetrics }, { HeldCounters }] = await Promise.all([
      import('../session/metrics/receiver-metrics.ts'),
      import('../io/metrics/held-counters.ts'),
    ]);
    const held = new HeldCounters();
    return () => {
      const { summary } = run;
      return receiverMetrics(summary, run.bitrate(summary), held);
    };
  });
  context.showStatus(() => {
    const { summary } = run;
    return summary.frames.total === 0 ? undefined : receiverStatus(summary, run.bitrate(summary), run.position);
  });
  const jsonTicker = options.json
    ? setInterval(() => stdout.write(`${JSON.stringify({ kind: 'statistics', ...run.summary })}\n`), 1_000)
    : undefined;
  const keys = new Keys((key) => {
    if (key === 'q') run.stop();
    else if (key === ' ') run.togglePause();
  });
  try {
    await run.run();
  } finally {
    await metrics?.close();
    keys.close();
    clearInterval(jsonTicker);
    context.closeStatus();
    const { summary } = run;
    if (summary.sessions > 0) context.print(summaryText(summary));
    if (options.json) stdout.write(`${JSON.stringify({ kind: 'summary', ...summary })}\n`);
    if (options.summary !== undefined) await writeJson('the summary', options.summary, summary);
  }
}
