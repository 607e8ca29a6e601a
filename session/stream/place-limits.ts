export interface PlaceLimits {
  readonly receiversMax: number;
  /** Limit of receivers per network (see `networkOf`), except loopback. */
  readonly receiversPerAddressMax: number;
}

/** Largest number of receivers that a server can be told to serve. */
export const RECEIVERS_MAX = 10_000;

/** Limits of a server. @param receiversPerAddressMax default: half of the receivers. */
export const placeLimits = (
  receiversMax: number,
  receiversPerAddressMax: number = Math.ceil(receiversMax / 2),
): PlaceLimits => ({ receiversMax, receiversPerAddressMax });
