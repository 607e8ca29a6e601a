import { stdout } from 'node:process';
import type { MetricFamily } from '../io/metrics/metric-family.ts';
import type { MetricsServer } from '../io/metrics/metrics-server.ts';
import { causeOf, Failure } from '../io/os/failure.ts';
import type { MediaSource } from '../io/sources/media-source.ts';
import { codecByName, VIDEO_CODEC_NAMES } from '../protocol/codec/codecs.ts';
import { RtpSender } from '../session/rtp/rtp-sender.ts';
import { TransportStreamSender, type TransportStreamSenderOptions } from '../session/rtp/transport-stream-sender.ts';
import type { Recorder } from '../session/run/recorder.ts';
import type { CommonOptions, Context } from './context.ts';
import { Interrupt } from './interrupt.ts';
import { type MetricsCommandOptions, serveMetrics } from './metrics-option.ts';
import type { PlainTarget } from './options.ts';
import { writeResult } from './result-file.ts';
import { openInputs, openRecord, type SourceCommandOptions } from './source-options.ts';
import { countPart, positionText, type Status } from './status-text.ts';

export interface SendRtpOptions extends CommonOptions, SourceCommandOptions, MetricsCommandOptions {
  readonly to: PlainTarget;
  readonly sdp?: string;
  readonly localPort: number;
  readonly rtcpMux?: boolean;
  readonly loop?: boolean;
  readonly mtu: number;
}

/** Codecs that MPEG-TS carries; others are encoded. */
const MUXED = VIDEO_CODEC_NAMES.filter((name) => codecByName(name).transportStream !== undefined);

/** Sends the input as plain RTP, once or with --loop until stopped. */
export async function sendRtp(inputs: readonly string[], options: SendRtpOptions, context: Context): Promise<void> {
  const { log } = context;
  let stopped = false;
  let sender: RtpSender | TransportStreamSender | undefined;
  let failure: unknown;
  const stop = (error?: unknown) => {
    stopped = true;
    failure ??= error;
    void sender?.stop();
  };
  checkOptions(options);
  const interrupt = new Interrupt(() => stop());
  let source: MediaSource | undefined;
  let recorder: Recorder | undefined;
  let metrics: MetricsServer | undefined;
  try {
    const limits = options.to.scheme === 'rtp' ? {} : { copies: MUXED };
    source = await openInputs(inputs, { ...options, joinable: true, live: true }, log, limits);
    recorder = await openRecord(options, source, log);
    const { scheme, rate, multicast, ...address } = options.to;
    let begun = false;
    const common: Omit<TransportStreamSenderOptions, 'form'> = {
      source,
      ...address,
      loop: options.loop === true,
      onUnit: (unit) => {
        recorder?.write(unit);
        if (!begun && unit.decodeOnly === true) log.info(earlyStartText(scheme));
        begun = true;
      },
      onSound: (unit) => recorder?.write(unit, { isSound: true }),
      onSkipped: (error) => log.warn(`left out of the playlist: ${causeOf(error)}`),
      onStall: (late) =>
        log.warn(
          `the stream is ${Math.round(late / 1_000)} ms behind schedule: the source or the machine may be too slow`,
        ),
    };
    if (scheme === 'rtp') {
      const { localPort, rtcpMux: multiplexed = false, mtu: datagramBytesMax } = options;
      sender = new RtpSender({ ...common, localPort, multiplexed, datagramBytesMax });
    } else {
      const form = scheme === 'rtp+ts' ? 'rtp' : scheme;
      const onUnanswered = () =>
        log.warn('no receiver has answered yet; the stream begins nevertheless. librist: ristreceiver --profile 0');
      let said = 0;
      const onExceeded = (skipped: number) => {
        // Once, and again whenever that many more are skipped.
        if (skipped < said * 10) return;
        said = skipped;
        log.warn(`bitrate=${rate} is less than the stream needs: ${skipped} pictures skipped so far`);
      };
      sender = new TransportStreamSender({ ...common, form, rate, multicast, onExceeded, onUnanswered });
    }
    await sender.open();
    metrics = await serveMetrics(options, log, () => plainMetricsOf(sender!, scheme));
    if (sender instanceof RtpSender) await describe(sender, options, context);
    else log.info(`play it with: ${playerOf(scheme, sender.destination)}`);
    const { name, codec, width, height, mode, durationSeconds } = source.description;
    log.info(`sending ${name} (${width}×${height}, ${codec}, ${mode}) to ${scheme}://${sender.destination}`);
    context.showStatus(() => (sender ? statusOf(sender, scheme, durationSeconds) : undefined));
    if (!stopped) await sender.run();
    const { frames, packets, bytes, retransmissions } = sender.statistics;
    const again = retransmissions > 0 ? `, and ${retransmissions} packets again on request` : '';
    log.info(`sent ${frames} frames in ${packets} packets, ${(bytes / 1_000).toFixed(0)} kB${again}`);
  } finally {
    context.closeStatus();
    await metrics?.close();
    await sender?.stop();
    await recorder?.close();
    await source?.close();
    interrupt.dispose();
  }
  if (failure) throw failure;
}

/** Why the first pictures are not those that were asked for. */
const earlyStartText = (scheme: PlainTarget['scheme']): string =>
  `the pictures begin at the key frame before the start, as ${scheme}:// cannot hide any; with --encode x264 they begin at the start`;

/** Returns a command line that plays MPEG-TS. */
function playerOf(scheme: PlainTarget['scheme'], destination: string): string {
  if (scheme !== 'rist') return `ffplay ${scheme === 'udp' ? 'udp' : 'rtp'}://${destination}`;
  const port = destination.slice(destination.lastIndexOf(':') + 1);
  return `ristreceiver --profile 0 -i rist://@0.0.0.0:${port} -o udp://127.0.0.1:1234, and ffplay udp://127.0.0.1:1234`;
}

/** Writes the session description before the first packet is sent. */
async function describe(sender: RtpSender, { sdp }: SendRtpOptions, { log }: Context): Promise<void> {
  if (sdp === undefined) return log.info('--sdp FILE writes the session description that players need');
  if (sdp === '-') return void stdout.write(sender.sessionDescription);
  await writeResult('the session description', sdp, sender.sessionDescription);
  log.info(`play it with: ffplay -protocol_whitelist file,udp,rtp ${sdp}`);
}

/** @throws {Failure} for options that MPEG-TS has no use for. */
function checkOptions({ to: { scheme }, sdp, localPort, rtcpMux }: SendRtpOptions): void {
  if (scheme === 'rtp' || (sdp === undefined && localPort === 0 && rtcpMux !== true)) return;
  throw new Failure(
    `${scheme}:// is MPEG-TS, which has no session description and no RTCP of its own: omit --sdp, --local-port and --rtcp-mux`,
    2,
  );
}

/** Loads the figures for Prometheus. */
async function plainMetricsOf(
  sender: RtpSender | TransportStreamSender,
  protocol: PlainTarget['scheme'],
): Promise<() => readonly MetricFamily[]> {
  const { plainSentMetrics } = await import('../session/metrics/sender-metrics.ts');
  return () => {
    const { statistics, refused, positionSeconds } = sender;
    return plainSentMetrics({ protocol, statistics, refused, positionSeconds });
  };
}

function statusOf(
  sender: RtpSender | TransportStreamSender,
  scheme: string,
  of: number | undefined,
): Status | undefined {
  const { frames, packets, retransmissions } = sender.statistics;
  const { positionSeconds, refused } = sender;
  if (frames === 0 || positionSeconds === undefined) return undefined;
  return [
    positionText({ seconds: positionSeconds, of }),
    ...(refused > 0 ? [countPart(refused, `${refused} refused: no receiver on that port`, 'bad')] : []),
    `${frames} frames in ${packets} packets`,
    ...(retransmissions > 0 ? [`${retransmissions} again`] : []),
    `${scheme}://${sender.destination}`,
  ];
}
