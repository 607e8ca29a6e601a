import { checkChoice, checkKeys, checkMilliseconds, checkShare, checkWhole } from './protocol/base/option-checks.ts';
import { milliseconds } from './protocol/base/units.ts';
import { LATENCY_MS_MAX } from './protocol/control/latency-limit.ts';
import { RECOVERIES } from './protocol/control/recovery.ts';
import { STREAM_DEFAULTS } from './protocol/stream-parameters.ts';
import { Receiver } from './receiver/receiver.ts';
import { RECEIVER_DEFAULTS, type Recovery, receiverOptions } from './receiver/receiver-options.ts';
import type { RecoveryFactory } from './receiver/recovery/loss-recovery.ts';
import { Sender } from './sender/sender.ts';
import { senderOptions } from './sender/sender-options.ts';
import { REPORT_SSRC, simulatedStream } from './sim/simulated-stream.ts';

/** Options of a stream. Each has a default; a value out of range throws a `RangeError` at once. */
export interface StreamPairOptions {
  /** Play-out delay above the fastest observed transit, milliseconds, 0 … 60,000. Default 120. */
  readonly latencyMs?: number;
  /**
   * Loss recovery: `none`, `reorder`, `nack`, `fec` or `hybrid` (the default), or a custom factory, whose requests the
   * sender answers like those of `nack`.
   */
  readonly recovery?: Recovery | RecoveryFactory;
  /** Bytes of retransmission and repair allowed per byte of media, 0 … 1. Default 0.25. */
  readonly redundancy?: number;
  /**
   * After the loss of a reference: `freeze` (the default) releases nothing until the next key frame, `smear` every
   * complete frame.
   */
  readonly onLoss?: 'freeze' | 'smear';
  /** `deadline` (the default): release a frame at its deadline; `asap`: as soon as it can be decoded. */
  readonly release?: 'deadline' | 'asap';
  /** Largest datagram, UDP payload bytes, 300 … 65,000. Default 1,200. */
  readonly datagramBytesMax?: number;
}

/** The two ends of one stream. Neither has a socket or a clock: see `Endpoint`. */
export interface StreamPair {
  readonly sender: Sender;
  readonly receiver: Receiver;
}

/** Keys of `StreamPairOptions`, complete by its type. */
const OPTIONS = Object.keys({
  latencyMs: true,
  recovery: true,
  redundancy: true,
  onLoss: true,
  release: true,
  datagramBytesMax: true,
} satisfies Record<keyof StreamPairOptions, true>);

/**
 * Returns a sender and a receiver with matching parameters.
 * @throws {RangeError} when an option is out of its range.
 */
export function createStreamPair(options: StreamPairOptions = {}): StreamPair {
  checkKeys(options, OPTIONS);
  const latencyMs = checkMilliseconds('latencyMs', options.latencyMs ?? 120, { min: 0, max: LATENCY_MS_MAX });
  const { recovery = STREAM_DEFAULTS.recovery, datagramBytesMax = STREAM_DEFAULTS.datagramBytesMax } = options;
  const own = typeof recovery === 'function' ? recovery : undefined;
  // Uses the simulator's SSRCs and first numbers: any values work, since the pair is isolated.
  const parameters = simulatedStream({
    recovery: typeof recovery === 'function' ? 'nack' : checkChoice('recovery', recovery, RECOVERIES),
    redundancy: checkShare('redundancy', options.redundancy ?? STREAM_DEFAULTS.redundancy),
    latency: milliseconds(latencyMs),
    datagramBytesMax: checkWhole('datagramBytesMax', datagramBytesMax, { min: 300, max: 65_000 }),
  });
  const settings = {
    reportSsrc: REPORT_SSRC,
    ...(own && { createRecovery: own }),
    onLoss: checkChoice('onLoss', options.onLoss ?? RECEIVER_DEFAULTS.onLoss, ['freeze', 'smear']),
    release: checkChoice('release', options.release ?? RECEIVER_DEFAULTS.release, ['deadline', 'asap']),
  };
  return {
    sender: new Sender(senderOptions(parameters)),
    receiver: new Receiver(receiverOptions(parameters, settings)),
  };
}
