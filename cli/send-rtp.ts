import { stdout } from 'node:process';
import type { HostAndPort } from '../io/net/host-and-port.ts';
import type { MediaSource } from '../io/sources/media-source.ts';
import { RtpSender } from '../session/rtp/rtp-sender.ts';
import type { Recorder } from '../session/run/recorder.ts';
import type { CommonOptions, Context } from './context.ts';
import { Interrupt } from './interrupt.ts';
import { writeResult } from './result-file.ts';
import { openInput, openRecord, type SourceCommandOptions } from './source-options.ts';
import { countPart, positionText, type Status } from './status-text.ts';

export interface SendRtpOptions extends CommonOptions, SourceCommandOptions {
  readonly to: HostAndPort;
  readonly sdp?: string;
  readonly localPort: number;
  readonly rtcpMux?: boolean;
  readonly loop?: boolean;
  readonly mtu: number;
}

/** Sends the input as plain RTP, once or with --loop until stopped. */
export async function sendRtp(input: string, options: SendRtpOptions, context: Context): Promise<void> {
  const { log } = context;
  let stopped = false;
  let sender: RtpSender | undefined;
  let failure: unknown;
  const stop = (error?: unknown) => {
    stopped = true;
    failure ??= error;
    void sender?.stop();
  };
  const interrupt = new Interrupt(() => stop());
  let source: MediaSource | undefined;
  let recorder: Recorder | undefined;
  try {
    source = await openInput(input, { ...options, joinable: true, live: true }, log);
    recorder = await openRecord(options, source, log);
    sender = new RtpSender({
      source,
      host: options.to.host,
      port: options.to.port,
      localPort: options.localPort,
      multiplexed: options.rtcpMux === true,
      loop: options.loop === true,
      datagramBytesMax: options.mtu,
      onUnit: (unit) => recorder?.write(unit),
      onSound: (unit) => recorder?.write(unit, { isSound: true }),
      onStall: (late) =>
        log.warn(
          `the stream is ${Math.round(late / 1_000)} ms behind schedule: the source or the machine may be too slow`,
        ),
    });
    await sender.open();
    await describe(sender, options, context);
    const { name, codec, width, height, mode, durationSeconds } = source.description;
    log.info(`sending ${name} (${width}×${height}, ${codec}, ${mode}) to rtp://${sender.destination}`);
    context.showStatus(() => (sender ? statusOf(sender, durationSeconds) : undefined));
    if (!stopped) await sender.run();
    const { frames, packets, bytes, retransmissions } = sender.statistics;
    const again = retransmissions > 0 ? `, and ${retransmissions} packets again on request` : '';
    log.info(`sent ${frames} frames in ${packets} packets, ${(bytes / 1_000).toFixed(0)} kB${again}`);
  } finally {
    context.closeStatus();
    await sender?.stop();
    await recorder?.close();
    await source?.close();
    interrupt.dispose();
  }
  if (failure) throw failure;
}

/** Writes the session description before the first packet is sent. */
async function describe(sender: RtpSender, { sdp }: SendRtpOptions, { log }: Context): Promise<void> {
  if (sdp === undefined) return log.info('--sdp FILE writes the session description that players need');
  if (sdp === '-') return void stdout.write(sender.sessionDescription);
  await writeResult('the session description', sdp, sender.sessionDescription);
  log.info(`play it with: ffplay -protocol_whitelist file,udp,rtp ${sdp}`);
}

function statusOf(sender: RtpSender, of: number | undefined): Status | undefined {
  const { frames, packets, retransmissions } = sender.statistics;
  const { positionSeconds, refused } = sender;
  if (frames === 0 || positionSeconds === undefined) return undefined;
  return [
    positionText({ seconds: positionSeconds, of }),
    ...(refused > 0 ? [countPart(refused, `${refused} refused: no receiver on that port`, 'bad')] : []),
    `${frames} frames in ${packets} packets`,
    ...(retransmissions > 0 ? [`${retransmissions} again`] : []),
    `rtp://${sender.destination}`,
  ];
}
