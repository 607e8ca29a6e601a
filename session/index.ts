/**
 * `dropframe/node`: streams over sockets, from files and to players. It lives in session/, the only room besides the
 * laboratory and the commands that may import everything it needs.
 */
export { Failure, type FailureExitCode, type FailureOptions } from '../io/os/failure.ts';
export type { PlayerKind } from '../io/players/open-player.ts';
export type { AdaptiveControl, AdaptiveState } from '../io/sources/adaptive-control.ts';
export type {
  MediaDescription,
  MediaSource,
  Playlist,
  SoundDescription,
  SoundSource,
  SourcePass,
} from '../io/sources/media-source.ts';
export type { TwoPathUse } from '../protocol/control/two-path-use.ts';
export { type RelayOptions, type RelayService, relay } from './relay/relay.ts';
export type { RelayDirectionReport, RelayReport } from './relay/relay-report.ts';
export type { FrameSummary, PacketSummary } from './run/class-summary.ts';
export { type ReceiveOptions, type Reception, receive } from './run/receive.ts';
export type { DelaySummary, RunSummary } from './run/run-summary.ts';
export type { SoundSummary } from './run/sound-summary.ts';
export type { PlayChoice } from './run/viewer.ts';
export type { AnnouncedMedia, ClientSessionCause, SoundAnnouncement, StreamAnnouncement } from './stream/client.ts';
export { type ServeOptions, type StreamService, type StreamTotals, serve } from './stream/serve.ts';
