import { LOOPBACK, mostCrowded, networkOf } from '../../io/net/networks.ts';
import type { Instant } from '../../protocol/base/units.ts';

/** A receiver that holds one of a server's places. */
export interface PlaceHolder {
  /** Without its port. */
  readonly address: string;
  readonly joinedAt: Instant;
  /** True once media can be sent to it: its address is proved, or its media connection reads. */
  readonly reachable: boolean;
}

export interface PlaceLimits {
  readonly receiversMax: number;
  /** Of one network (see `networkOf`), this machine apart. */
  readonly receiversPerAddressMax: number;
}

/** `evict`: the holder that gives way; `refused`: the reason, for the receiver that wants in. */
export type Placement<Holder> = { readonly evict: Holder | undefined } | { readonly refused: string };

/**
 * Finds a place for one more receiver. Where there is none, one that has shown nothing but a hello gives way: of the
 * network that has the most of these, the oldest. Those that are reached keep their places.
 */
export function placeFor<Holder extends PlaceHolder>(
  address: string,
  holders: Iterable<Holder>,
  limits: PlaceLimits,
): Placement<Holder> {
  const all = [...holders];
  const network = networkOf(address);
  const own = all.filter((holder) => networkOf(holder.address) === network);
  const ownMax = network === LOOPBACK ? limits.receiversMax : limits.receiversPerAddressMax;
  const isCrowd = own.length >= ownMax;
  if (!isCrowd && all.length < limits.receiversMax) return { evict: undefined };
  const evict = oldest(mostCrowded((isCrowd ? own : all).filter(({ reachable }) => !reachable)));
  if (evict) return { evict };
  const full = all.length >= limits.receiversMax;
  return {
    refused: full
      ? `${limits.receiversMax} receivers are being served`
      : `${ownMax} receivers at this address are being served`,
  };
}

function oldest<Holder extends PlaceHolder>(holders: readonly Holder[]): Holder | undefined {
  return holders.reduce<Holder | undefined>(
    (found, holder) => (found === undefined || holder.joinedAt < found.joinedAt ? holder : found),
    undefined,
  );
}
