import type { LaneAnnouncement } from '../../protocol/page/lane-message.ts';

/** Events that the worker has received, in order. */
export type WorkerEvent =
  | { readonly kind: 'connected' }
  | { readonly kind: 'disconnected' }
  /** @property ids of the lanes that a `state` lists: a lane that continues at another place keeps its id. */
  | { readonly kind: 'announced'; readonly announcement: LaneAnnouncement; readonly ids: readonly number[] };
