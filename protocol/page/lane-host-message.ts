/** Messages between a page without a server and its workers, as structured clones. */

/** To the worker that has the lanes. */
export type ToLaneHost =
  /** A window shows the lanes: the port of the message takes `LaneCommand`, and gives announcements and pictures. */
  | { readonly kind: 'watch' }
  /** Asks for a file that a server would have, by its path there. @property name file name of the download. */
  | { readonly kind: 'file'; readonly path: string; readonly name: string }
  /** Shows a video of the user's own on all lanes. @property order number of the answer. @property video its `File`. */
  | { readonly kind: 'play'; readonly order: number; readonly name: string; readonly video: unknown };

export type FromLaneHost =
  /** A file that was asked for. @property bytes `undefined`: there is no such file. */
  | { readonly kind: 'file'; readonly name: string; readonly bytes: Uint8Array | undefined }
  /** The answer to `play`. @property why reason in words why the video is not shown. */
  | { readonly kind: 'played'; readonly order: number; readonly why: string | undefined };

/** To a worker of the laboratory: its only message. */
export interface LabOrder {
  /** Scenario file in JSON. */
  readonly scenario: string;
}

/** From a worker of the laboratory. */
export type FromLab =
  /** @property share part that is done, 0 to 1. */
  | { readonly kind: 'progress'; readonly share: number }
  | { readonly kind: 'report'; readonly html: string }
  | { readonly kind: 'refused'; readonly why: string };
