import type { LaneCommand } from '../../protocol/page/lane-command.ts';
import type { TakenPicture } from '../shared/video-view.ts';
import type { Decoded } from './decoding-economy.ts';
import type { WorkerEvent } from './worker-event.ts';

/** Messages from the page to the worker that receives and decodes its pictures (`lane-worker.ts`). */
export type ToWorker =
  /** First message. Its port, if it has one, leads to lanes in another worker; without one, the lanes are on the server. */
  | { readonly kind: 'connect' }
  | { readonly kind: 'send'; readonly command: LaneCommand }
  /** The page has handled the last report, and takes another one. */
  | { readonly kind: 'handled' }
  /** Hears the lane with this id, or none. Its port, if it has one, leads to the loudspeaker. */
  | { readonly kind: 'listen'; readonly lane: number | undefined }
  /** Media time that is heard, microseconds, at a time since the epoch, milliseconds. */
  | { readonly kind: 'hearing'; readonly mediaUs: number | undefined; readonly epochMs: number }
  /** Stops decoding what is live, or goes on: the replay needs the decoders. */
  | { readonly kind: 'rest'; readonly isResting: boolean }
  /** Asks for the recording of the last seconds: its port gets one `Recording`, or `undefined`. */
  | { readonly kind: 'record' };

/** Pictures of one lane. */
export interface LanePictures {
  readonly id: number;
  /** Run of the pictures; `undefined` before the first. */
  readonly run: number | undefined;
  /** The newest picture since the last report; the page closes its frame. */
  readonly newest: TakenPicture | undefined;
  readonly framesHidden: number;
  readonly framesSkipped: number;
  readonly decodeErrors: number;
  /** True when the browser cannot decode the stream. */
  readonly unable: boolean;
  /** Largest sample of the sound of late, 0 to 1. */
  readonly soundPeak: number;
}

/** The part of the lanes that the worker decodes. */
export interface DecodedLanes {
  readonly share: Decoded;
  /** Id of the lane that is decoded whole when not all are. */
  readonly whole: number | undefined;
}

/** From the worker to the page: one at a time, the next one when the page has handled it. */
export interface WorkerReport {
  readonly events: readonly WorkerEvent[];
  readonly lanes: readonly LanePictures[];
  /** Longest time that a picture waits in this window, milliseconds. */
  readonly behindMs: number;
  /** How often pictures were skipped to continue at the newest. */
  readonly skips: number;
  readonly decoded: DecodedLanes;
}
