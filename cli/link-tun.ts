import { constants } from 'node:os';
import { stderr } from 'node:process';
import { Failure } from '../io/os/failure.ts';
import type { Log } from '../io/os/log.ts';
import { alignedText } from '../lab/report/text-table.ts';
import type { TunProgress, TunReport, TunSettings } from '../session/tun/tun-message.ts';
import { TUN_ADDRESSES } from '../session/tun/tun-path.ts';
import { TunRun } from '../session/tun/tun-run.ts';
import { formatLinkSpecification } from '../sim/link/link-format.ts';
import type { LinkSpecification } from '../sim/link/link-specification.ts';
import { type CommonOptions, Context } from './context.ts';
import { directionLines, waysStatus } from './link-text.ts';
import { type MetricsCommandOptions, serveMetrics } from './metrics-option.ts';
import { writeJson } from './result-file.ts';
import { statusInFull } from './status-text.ts';

export interface TunCommandOptions extends CommonOptions, MetricsCommandOptions {
  readonly link: LinkSpecification;
  readonly linkBack?: LinkSpecification;
  readonly duration?: number;
  readonly report?: string;
  readonly pcap?: string;
  readonly mtu?: number;
  readonly congestion?: string;
  readonly notsentLowat?: number;
}

/** Default MTU of the link, bytes: Ethernet's. */
const MTU = 1_500;
/** Added by shells to the number of the signal that ended a command. */
const BY_SIGNAL = 128;
/** `notsent_lowat` without a limit (tcp(7)). */
const NO_LIMIT = 0xffff_ffff;
/** Interval of progress lines in the log, seconds; the same as that of the other commands without a terminal. */
const LOGGED_EVERY_SECONDS = 5;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;

/** Runs `dropframe link --tun`: a command in a network namespace of its own. @returns the exit code of the command. */
export async function linkTun(command: readonly string[], options: TunCommandOptions): Promise<number> {
  const [program, ...rest] = command;
  if (program === undefined) throw new Failure('--tun: name a command after --, such as -- bash', 2);
  const context = new Context(options);
  const linkBack = options.linkBack ?? options.link;
  // From here on, signals of the terminal belong to the command.
  let run: TunRun | undefined;
  let asked = 0;
  const handlers = SIGNALS.map((signal) => {
    const handle = () => {
      // A second request ends the command at once.
      if (signal !== 'SIGINT' && ++asked > 1) run?.kill();
      else run?.signal(signal);
    };
    process.on(signal, handle);
    return () => process.off(signal, handle);
  });
  const shows = options.quiet ? undefined : progressShown(options, context.log);
  let progress: TunProgress | undefined;
  const metrics = await serveMetrics(options, context.log, async () => {
    const { linkMetrics } = await import('../session/metrics/link-metrics.ts');
    return () => (progress ? linkMetrics(progress) : []);
  });
  const hasProgress = shows !== undefined || metrics !== undefined;
  const onProgress = (now: TunProgress) => {
    progress = now;
    shows?.(now);
  };
  let timer: NodeJS.Timeout | undefined;
  try {
    run = await TunRun.start({
      command: [program, ...rest],
      link: options.link,
      linkBack,
      mtu: options.mtu ?? MTU,
      congestionControl: options.congestion,
      notsentLowat: options.notsentLowat,
      capture: options.pcap,
      log: context.log,
      ...(hasProgress && { onProgress }),
      onStart: (settings) => {
        if (options.duration !== undefined) timer = setTimeout(() => run?.signal('SIGTERM'), options.duration);
        context.log.info(startText(settings));
        context.log.info(
          `link forward: ${formatLinkSpecification(options.link)} · back: ${formatLinkSpecification(linkBack)}`,
        );
      },
    });
    const report = await run.ended;
    if (options.json) stderr.write(`${JSON.stringify({ kind: 'report', ...report })}\n`);
    else context.print(tunReportText(report));
    if (options.report !== undefined) await writeJson('the report', options.report, report);
    return exitCode(report);
  } finally {
    clearTimeout(timer);
    await metrics?.close();
    for (const dispose of handlers) dispose();
  }
}

/**
 * Returns how to show progress: as JSON lines; in a terminal, whose screen belongs to the command, as the window title;
 * with `--verbose` also in the log.
 */
function progressShown({ json, verbose }: TunCommandOptions, log: Log): ((progress: TunProgress) => void) | undefined {
  if (json) return (progress) => stderr.write(`${JSON.stringify({ kind: 'statistics', ...progress })}\n`);
  if (!stderr.isTTY && !verbose) return undefined;
  let before: TunProgress | undefined;
  let seconds = 0;
  return (progress) => {
    const text = statusInFull(waysStatus(progress, before));
    before = progress;
    if (stderr.isTTY) stderr.write(`\x1b]0;dropframe: ${text}\x07`);
    if (verbose && ++seconds % LOGGED_EVERY_SECONDS === 0) log.info(text);
  };
}

export function exitCode({ end }: Pick<TunReport, 'end'>): number {
  return end.code ?? BY_SIGNAL + (end.signal === null ? 0 : constants.signals[end.signal]);
}

function startText(settings: TunSettings): string {
  const across = settings.ipv6 ? `${TUN_ADDRESSES.ipv4.across} or ${TUN_ADDRESSES.ipv6.across}` : '10.9.0.2';
  return `inside the namespace this machine is reachable across the link as ${across}; ${settingsText(settings)}`;
}

function settingsText({ congestionControl, notsentLowat, mtu }: TunSettings): string {
  const lowat = notsentLowat === NO_LIMIT ? 'no tcp_notsent_lowat' : `tcp_notsent_lowat ${notsentLowat}`;
  return `TCP ${congestionControl}, ${lowat}, MTU ${mtu}`;
}

/** Formats the report for people. */
export function tunReportText(report: TunReport): string {
  const { end, uncarried, deviceDrops } = report;
  const ended = end.signal === null ? `exit code ${end.code}` : `ended by ${end.signal}`;
  const lines: [string, string][] = [
    ['command', `${report.command.join(' ')}, ${report.durationSeconds.toFixed(1)} s, ${ended}`],
    ['inside', settingsText(report)],
    ...directionLines('forward', report.forward),
    ...directionLines('back', report.back),
  ];
  const { multicast, elsewhere, malformed } = uncarried;
  if (multicast + elsewhere + malformed > 0) {
    lines.push(['not carried', `${multicast} multicast, ${elsewhere} with foreign addresses, ${malformed} malformed`]);
  }
  if (deviceDrops !== null && deviceDrops > 0) {
    lines.push(['note', `${deviceDrops} packets were dropped by this machine before the link could see them`]);
  }
  return alignedText(lines);
}
