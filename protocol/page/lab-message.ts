/** Lines of the answer to a scenario that a page has sent to its server (`POST /lab`), each one JSON; the last is no progress. */
export type LabLine =
  /** @property share part that is done, 0 to 1. */
  | { readonly kind: 'progress'; readonly share: number }
  /** @property url of the report, a path on the server. */
  | { readonly kind: 'report'; readonly url: string }
  /** @property why reason in words why there is no report. */
  | { readonly kind: 'refused'; readonly why: string };
