/** Packets that come at even spacing and are released in order; times in one unit of the caller's choice. */
export interface InOrderRelease {
  readonly loss: number;
  /** How much later a lost packet comes, R. */
  readonly repairTime: number;
  /** Between packets, Δ. */
  readonly spacing: number;
}

/** Mean wait behind lost packets, each of which comes R later at the first repetition: Σ p·q^m·(R − mΔ). */
export function meanWait({ loss, repairTime, spacing }: InOrderRelease): number {
  let sum = 0;
  for (let behind = 0; behind * spacing <= repairTime; behind++) {
    sum += loss * (1 - loss) ** behind * (repairTime - behind * spacing);
  }
  return sum;
}

/** Share of packets that wait at all: 1 − q^(M+1), M = ⌊R/Δ⌋. */
export const shareWaiting = ({ loss, repairTime, spacing }: InOrderRelease): number =>
  1 - (1 - loss) ** (Math.floor(repairTime / spacing) + 1);

export interface RepeatedRequests {
  readonly loss: number;
  /** Between packets, Δ. */
  readonly spacing: number;
  /** From when a lost packet would have come to when its first repetition does. */
  readonly firstRepair: number;
  /** From one repetition to the next, while they are lost as well. */
  readonly repeat: number;
}

/** Where what is behind a loss does not wait any more, to a ten-millionth. */
const REPEATS_MAX = 12;

/**
 * Mean wait in order where repetitions are lost too: of packets each Δ, T late each with P(T > t) = p for t before the
 * first repetition, p² before the second …, a packet waits E[W] = ∫(1 − ΠP(T ≤ x + mΔ))dx − E[T], m = 0, 1, 2 …
 */
export function meanInOrderWait({ loss, spacing, firstRepair, repeat }: RepeatedRequests): number {
  const late = (time: number): number => {
    const repeats = time < firstRepair ? 0 : Math.floor((time - firstRepair) / repeat) + 1;
    return repeats > REPEATS_MAX ? 0 : loss ** (repeats + 1);
  };
  const longest = firstRepair + REPEATS_MAX * repeat;
  const step = longest / STEPS;
  let [waiting, own] = [0, 0];
  for (let at = step / 2; at < longest; at += step) {
    let product = 1;
    for (let time = at; time < longest; time += spacing) product *= 1 - late(time);
    waiting += 1 - product;
    own += late(at);
  }
  return (waiting - own) * step;
}

/** Steps of the integrals. */
const STEPS = 20_000;

/** Mean wait for the order where delays are uniform over 0 … `jitter`: ∫(1 − ΠF(x + mΔ))dx − E[d]. */
export function meanReorderWait(jitter: number, spacing: number): number {
  let sum = 0;
  for (let step = 0; step < STEPS; step++) {
    const at = ((step + 0.5) * jitter) / STEPS;
    let product = 1;
    for (let delay = at; delay < jitter; delay += spacing) product *= delay / jitter;
    sum += 1 - product;
  }
  return (sum * jitter) / STEPS - jitter / 2;
}

/** Where RFC 3550's interarrival jitter (§6.4.1) settles for delays uniform over 0 … `jitter`: the mean of |d₁ − d₂|. */
export const interarrivalJitterOfUniform = (jitter: number): number => jitter / 3;

/** … and for normal delays of this deviation: 2σ/√π. */
export const interarrivalJitterOfNormal = (deviation: number): number => (2 * deviation) / Math.sqrt(Math.PI);
