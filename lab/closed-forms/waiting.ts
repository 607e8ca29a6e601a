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

/** Steps of the integral below. */
const STEPS = 200_000;

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
