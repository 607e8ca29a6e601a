/** Evenly spaced packets released in order; times in one arbitrary unit. */
export interface InOrderRelease {
  readonly loss: number;
  /** Additional delay of a lost packet, R. */
  readonly repairTime: number;
  /** Packet spacing, Δ. */
  readonly spacing: number;
}

/** Mean wait behind lost packets that arrive R later with the first retransmission: Σ p·q^m·(R − mΔ). */
export function meanWait({ loss, repairTime, spacing }: InOrderRelease): number {
  let sum = 0;
  for (let behind = 0; behind * spacing <= repairTime; behind++) {
    sum += loss * (1 - loss) ** behind * (repairTime - behind * spacing);
  }
  return sum;
}

/** Fraction of packets that wait: 1 − q^(M+1), M = ⌊R/Δ⌋. */
export const shareWaiting = ({ loss, repairTime, spacing }: InOrderRelease): number =>
  1 - (1 - loss) ** (Math.floor(repairTime / spacing) + 1);

export interface RepeatedRequests {
  readonly loss: number;
  /** Packet spacing, Δ. */
  readonly spacing: number;
  /** Delay of the first retransmission relative to the lost packet. */
  readonly firstRepair: number;
  /** Interval of further retransmissions, when they are lost too. */
  readonly repeat: number;
}

/** Retransmissions considered; the error is below one ten-millionth. */
const REPEATS_MAX = 12;

/**
 * Mean in-order wait with lossy retransmissions. For packets spaced Δ with delay T, P(T > t) = p before the first
 * retransmission, p² before the second …, a packet waits E[W] = ∫(1 − ΠP(T ≤ x + mΔ))dx − E[T], m = 0, 1, 2 …
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

/** Steps of numeric integration. */
const STEPS = 20_000;

/** Mean in-order wait with delays uniform in 0 … `jitter`: ∫(1 − ΠF(x + mΔ))dx − E[d]. */
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

/** Stationary interarrival jitter (RFC 3550 §6.4.1) for delays uniform in 0 … `jitter`: the mean of |d₁ − d₂|. */
export const interarrivalJitterOfUniform = (jitter: number): number => jitter / 3;

/** Stationary interarrival jitter for normal delays of this standard deviation: 2σ/√π. */
export const interarrivalJitterOfNormal = (deviation: number): number => (2 * deviation) / Math.sqrt(Math.PI);
