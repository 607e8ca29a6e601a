import { type Instant, instant, type Microseconds, microseconds } from '../../protocol/base/units.ts';
import { UDP_IP_HEADER_BYTES } from '../../protocol/ip-packet.ts';
import { CapacityCurve } from '../../sim/link/capacity-curve.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { causalFront } from './causal.ts';
import { clairvoyant, type FrameDemand } from './clairvoyant.ts';

/** Best possible results on a path of limited capacity, whatever the sender does. */
export interface CapacityLimit {
  /** Share of frames that cannot be in time even if the future is known. */
  readonly missRatio: number;
  /** Greatest goodput with those misses, bits per second. */
  readonly goodput: number;
  /**
   * A source that knows the past capacity exactly and nothing else: fewest misses with at least `CAUSAL_SHARE` of the
   * greatest goodput. `undefined` when the source cannot choose the sizes of its frames, or no rule reaches that share.
   */
  readonly causal: { readonly missRatio: number; readonly goodput: number } | undefined;
}

/** Share of the clairvoyant's goodput at which misses of causal sources are compared. */
export const CAUSAL_SHARE = 0.6;

/** A frame of a source: its capture, and the sizes that the source could give it, payload bytes. */
export interface OfferedFrame {
  readonly capturedAt: Instant;
  readonly bytesMin: number;
  readonly bytesMax: number;
}

export interface CapacityLimitOptions {
  /** Time from capture to use. */
  readonly budget: Microseconds;
  readonly framesPerSecond: number;
  /** Delay of the way back, after which the source knows what the bottleneck has carried. */
  readonly knownAfter: Microseconds;
}

/** An Ethernet frame's payload: with it, headers are the least that any transport adds. */
const PACKET_BYTES = 1_500;

const withHeaders = (bytes: number): number =>
  bytes + UDP_IP_HEADER_BYTES * Math.ceil(bytes / (PACKET_BYTES - UDP_IP_HEADER_BYTES));
const withoutHeaders = (bytes: number): number => bytes - UDP_IP_HEADER_BYTES * Math.ceil(bytes / PACKET_BYTES);

/**
 * Computes the limit that a link's capacity sets to a stream. References between frames, random loss and the length of
 * the queue are ignored, so that it bounds every strategy.
 *
 * @param frames in order of capture.
 * @returns `undefined` when the link does not limit the rate, or without frames.
 */
export function capacityLimit(
  link: LinkSpecification,
  frames: readonly OfferedFrame[],
  options: CapacityLimitOptions,
): CapacityLimit | undefined {
  const curve = CapacityCurve.of(link);
  if (!curve || frames.length === 0) return undefined;
  const demands: readonly FrameDemand[] = frames.map(({ capturedAt, bytesMin, bytesMax }) => ({
    capturedAt: instant(capturedAt),
    bytesMin: withHeaders(bytesMin),
    bytesMax: withHeaders(bytesMax),
  }));
  const goodput = (bytes: number) => (bytes * 8 * options.framesPerSecond) / frames.length;
  const { missed, bytes } = clairvoyant(demands, curve, options.budget);
  const best = goodput(bytes.reduce((sum, each) => sum + withoutHeaders(each), 0));
  const adapts = frames.some(({ bytesMin, bytesMax }) => bytesMax > bytesMin);
  const causal = adapts
    ? causalFront(demands, curve, {
        ...options,
        frameInterval: microseconds(Math.round(1e6 / options.framesPerSecond)),
      }).find((each) => goodput(withoutHeaders(each.bytes)) >= CAUSAL_SHARE * best)
    : undefined;
  return {
    missRatio: missed / frames.length,
    goodput: best,
    causal: causal && { missRatio: causal.missed / frames.length, goodput: goodput(withoutHeaders(causal.bytes)) },
  };
}
