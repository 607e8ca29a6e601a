/**
 * The core of dropframe: a sender, a receiver, an impaired link and a virtual clock. It uses no operating system and no
 * clock, and runs unchanged in a browser. docs/API.md describes every exported name.
 */
export type { AccessUnit, Importance } from './protocol/access-unit.ts';
export type { Percentiles } from './protocol/base/histogram.ts';
export type { Parsed } from './protocol/base/parsed.ts';
export {
  elapsed,
  type Instant,
  inMilliseconds,
  inSeconds,
  instant,
  later,
  type Microseconds,
  type Milliseconds,
  microseconds,
  microsecondsToTicks,
  milliseconds,
  type Plain,
  seconds,
  type Ticks,
  ticks,
  ticksToMicroseconds,
  type Unit,
} from './protocol/base/units.ts';
export type {
  ByteStreamFormat,
  Codec,
  Entry,
  MatroskaFormat,
  MediaType,
  Mp4Format,
  ObservedImportance,
  PackedParts,
  PacketizeOptions,
  ParameterSetTracker,
  PayloadRange,
  SessionFormat,
  SoundFormat,
  SoundTraits,
  TransportStreamFormat,
  VideoFormat,
} from './protocol/codec/codec.ts';
export { CODEC_NAMES, type CodecName, codecByName } from './protocol/codec/codecs.ts';
export type { Rotation } from './protocol/codec/nal/display-orientation.ts';
export type { ColorDescription, SampleAspect, VideoSignal } from './protocol/codec/nal/video-signal.ts';
export { RECOVERIES, type Recovery } from './protocol/control/recovery.ts';
export type { Ecn } from './protocol/ecn.ts';
export type { Endpoint } from './protocol/endpoint.ts';
export type { ReleasedFrameClass } from './protocol/frame-class.ts';
export type { PathNotice } from './protocol/rtcp/recovery-notice.ts';
export type {
  ApplicationPacket,
  CongestionControlFeedback,
  ExtendedReport,
  ExtendedReportBlock,
  FullIntraCommand,
  FullIntraRequest,
  Goodbye,
  Nack,
  PictureLossIndication,
  ReceiverReport,
  ReportBlock,
  RtcpPacket,
  SenderReport,
  SourceDescription,
  SourceDescriptionChunk,
  StreamArrivals,
} from './protocol/rtcp/rtcp.ts';
export type { DelaySinceLastReceiverReport, ReceiverReferenceTime } from './protocol/rtcp/rtcp-extended-report.ts';
export type { FrameMark } from './protocol/rtp/frame-mark.ts';
export type { CompactNtp, NtpTimestamp } from './protocol/rtp/ntp.ts';
export {
  asSequence,
  type Sequence,
  type WireSequence,
  type WireTimestamp,
  wireSequence,
  wireTimestamp,
} from './protocol/rtp/sequence.ts';
export {
  type AgreedStream,
  type CompanionStream,
  type SentStreamParameters,
  type StreamParameters,
  streamParameters,
} from './protocol/stream-parameters.ts';
export type { FrameClasses, PacketClasses } from './receiver/ledger.ts';
export { Receiver, type ReceiverEvent } from './receiver/receiver.ts';
export {
  type ForeignSender,
  type ReceiverOptions,
  type ReceiverSettings,
  receiverOptions,
} from './receiver/receiver-options.ts';
export type { ReceiverStatistics } from './receiver/receiver-statistics.ts';
export type {
  LossRecovery,
  NewestFrame,
  RecoveryFactory,
  StreamView,
  TakenPacket,
} from './receiver/recovery/loss-recovery.ts';
export type { StreamTotal } from './receiver/sent-total.ts';
export { HistoryBudget } from './sender/history-budget.ts';
export type { PacketizerOptions } from './sender/packetizer.ts';
export type { CircuitBreakerCause, CircuitBreakerNotice, ReceptionSummary } from './sender/rate/circuit-breaker.ts';
export { RATE_CONTROLS, type RateControl, type RateTerms } from './sender/rate/rate-control.ts';
export type {
  CongestionFeedback,
  EcnMark,
  PacketReport,
  PathLoad,
  RateController,
  SentKind,
  SentPacket,
} from './sender/rate/rate-controller.ts';
export type { PathRepairOptions } from './sender/repair/path-repair.ts';
export { Sender, type SenderEvent } from './sender/sender.ts';
export { type SenderOptions, type SenderSettings, senderOptions } from './sender/sender-options.ts';
export type { SenderStatistics } from './sender/sender-statistics.ts';
export type { Direction } from './sim/direction.ts';
export { type EncoderModel, X264_MODEL } from './sim/encoder-model.ts';
export type { DatagramContext } from './sim/link/datagram-context.ts';
export type { DatagramFate, DecidedFate, LinkOutcome } from './sim/link/datagram-fate.ts';
export { Link } from './sim/link/link.ts';
export type { LinkCounters, LinkStageCounters } from './sim/link/link-counters.ts';
export type { LinkOptions } from './sim/link/link-options.ts';
export { parseLink } from './sim/link/link-parse.ts';
export type {
  CrossTrafficKind,
  LinkChange,
  LinkSpecification,
  OutageWindow,
} from './sim/link/link-specification.ts';
export type { DelayQuantile, DelayQuantiles } from './sim/link/link-values.ts';
export type {
  BitmapModel,
  ContinuousTimeModel,
  DropListModel,
  FourStateModel,
  GilbertElliottModel,
  LossBitmap,
  LossModel,
  OnOffModel,
  PathTraceModel,
  ShuffledModel,
} from './sim/link/loss/loss-model.ts';
export type { TraceReader } from './sim/link/loss/loss-words.ts';
export type { PathTrace } from './sim/link/loss/path-trace.ts';
export type { CorrelatedShare, NetemParameters } from './sim/link/netem/netem-parameters.ts';
export type {
  CodelOptions,
  DisciplineOptions,
  DualPi2Options,
  FqCodelOptions,
} from './sim/link/queue/queue-discipline.ts';
export type { CapacityTrace } from './sim/link/stages/capacity-trace.ts';
export type { JitterDistribution } from './sim/link/stages/propagation.ts';
export type { SlipOptions } from './sim/link/stages/slip.ts';
export { type Path, type Script, Simulation, type SimulationOptions } from './sim/simulation.ts';
export { SyntheticEncoder, type SyntheticEncoderOptions } from './sim/synthetic-encoder.ts';
export {
  LiveFeed,
  type LiveFeedOptions,
  SyntheticStream,
  type SyntheticStreamOptions,
} from './sim/synthetic-stream.ts';
export type { CongestionControlName } from './sim/tcp/congestion-control.ts';
export { createStreamPair, type StreamPair, type StreamPairOptions } from './stream-pair.ts';
