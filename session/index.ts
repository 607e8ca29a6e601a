/**
 * `dropframe/node`: streams over sockets, from files and to players. It stands in session/, the only room beside the
 * laboratory and the commands that may import everything which it needs.
 */
export { Failure } from '../io/os/failure.ts';
export type { MediaDescription, MediaSource } from '../io/sources/media-source.ts';
export { type RelayOptions, type RelayService, relay } from './relay/relay.ts';
export type { RelayReport } from './relay/relay-report.ts';
export { type ReceiveOptions, type Reception, receive } from './run/receive.ts';
export type { RunSummary } from './run/run-summary.ts';
export type { StreamAnnouncement } from './stream/client.ts';
export { type ServeOptions, type StreamService, type StreamTotals, serve } from './stream/serve.ts';
