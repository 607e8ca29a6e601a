/**
 * The core of dropframe: a sender, a receiver, an impaired link and a virtual clock. It uses no operating system and no
 * clock, and runs unchanged in a browser. docs/API.md describes every exported name.
 */
export type { AccessUnit, Importance } from './protocol/access-unit.ts';
export {
  elapsed,
  type Instant,
  instant,
  later,
  type Microseconds,
  microseconds,
  milliseconds,
  seconds,
  type Ticks,
  ticks,
} from './protocol/base/units.ts';
export type { Recovery } from './protocol/control/recovery.ts';
export type { Endpoint } from './protocol/endpoint.ts';
export type { RtcpPacket } from './protocol/rtcp/rtcp.ts';
export { asSequence, type Sequence, type WireSequence, wireSequence } from './protocol/rtp/sequence.ts';
export { type SentStreamParameters, type StreamParameters, streamParameters } from './protocol/stream-parameters.ts';
export { Receiver, type ReceiverEvent } from './receiver/receiver.ts';
export { type ReceiverOptions, type ReceiverSettings, receiverOptions } from './receiver/receiver-options.ts';
export type { ReceiverStatistics } from './receiver/receiver-statistics.ts';
export type { LossRecovery, RecoveryFactory, StreamView, TakenPacket } from './receiver/recovery/loss-recovery.ts';
export { Sender, type SenderEvent } from './sender/sender.ts';
export { type SenderOptions, type SenderSettings, senderOptions } from './sender/sender-options.ts';
export type { SenderStatistics } from './sender/sender-statistics.ts';
export { type EncoderModel, X264_MODEL } from './sim/encoder-model.ts';
export type { DatagramFate } from './sim/link/datagram-fate.ts';
export { Link } from './sim/link/link.ts';
export type { LinkCounters } from './sim/link/link-counters.ts';
export { parseLink } from './sim/link/link-parse.ts';
export type { LinkSpecification } from './sim/link/link-specification.ts';
export { type Path, type Script, Simulation, type SimulationOptions } from './sim/simulation.ts';
export { SyntheticEncoder, type SyntheticEncoderOptions } from './sim/synthetic-encoder.ts';
export {
  LiveFeed,
  type LiveFeedOptions,
  SyntheticStream,
  type SyntheticStreamOptions,
} from './sim/synthetic-stream.ts';
export { createStreamPair, type StreamPair, type StreamPairOptions } from './stream-pair.ts';
