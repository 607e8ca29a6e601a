import { LOOPBACK, mostCrowded, networkOf } from '../../io/net/networks.ts';
import type { Instant } from '../../protocol/base/units.ts';
import type { PlaceLimits } from './place-limits.ts';

/** A receiver that holds one of a server's places. */
export interface PlaceHolder {
  /** Address of the receiver without the port. */
  readonly address: string;
  readonly joinedAt: Instant;
  /** True when media can be sent: the address is proved, or the media connection is in use. */
  readonly reachable: boolean;
}

/** `evict`: the holder to remove, if any. `refused`: the reason, sent to the joining receiver. */
export type Placement<Holder> = { readonly evict: Holder | undefined } | { readonly refused: string };

/**
 * Finds a place for a joining receiver. When no place is free, in total or for its network, the oldest unreachable
 * holder is evicted from the network with the most unreachable holders. Reachable holders keep their places.
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
