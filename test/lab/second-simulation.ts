/**
 * A second simulation of `nack` and `fec`, slow and obvious, that shares no code with the first: written from
 * docs/RECOVERY.md, docs/LINK.md and docs/LAB.md only. All times are milliseconds. Each frame is a key frame whose
 * packets leave at once.
 */

/** A path in which both directions have the same delay and jitter, and only forward losses come in bursts. */
export interface SecondPath {
  /** Probability of losing a datagram, 0 … 1, forward. */
  readonly loss: number;
  /** Mean run of losses, datagrams; 1: independent. */
  readonly burst: number;
  /** Probability of losing a datagram on the way back, independent. */
  readonly lossBack: number;
  readonly delay: number;
  /** Additional delay, uniform between 0 and this; order is kept. */
  readonly jitter: number;
}

export interface SecondStream {
  readonly framesPerSecond: number;
  readonly packets: number;
  /** Time from capture to display. */
  readonly budget: number;
}

/** Wait before the first request. */
const REORDER_WAIT = 3;
/** Silence after which the rest of the newest frame counts as missing. */
const SILENCE = 25;
/** Share of a round trip after which a request is repeated. */
const REPEAT = 9 / 8;

/** True for each frame that missed its budget. */
export function secondNack(path: SecondPath, stream: SecondStream, frames: number, seed: number): boolean[] {
  const random = randomNumbers(seed);
  const forward = lossyWay(random, path);
  const back = lossyWay(random, { ...path, loss: path.lossBack, burst: 1 });
  const { packets, budget, framesPerSecond } = stream;
  // Round trip as the receiver knows it: both delays, each with its mean jitter.
  const roundTrip = 2 * path.delay + path.jitter;
  const captured = (packet: number) => (Math.floor(packet / packets) * 1_000) / framesPerSecond;
  const deadline = (packet: number) => captured(packet) + budget;
  const total = frames * packets;
  const arrivedAt: number[] = new Array(total).fill(Number.POSITIVE_INFINITY);
  const detected: boolean[] = new Array(total).fill(false);
  /** Packets to request, by the time at which their request leaves. */
  const toRequest = new Map<number, number[]>();
  const events: { at: number; run: () => void }[] = [];
  let now = 0;
  let newest = -1;
  const at = (time: number, run: () => void) => {
    let place = events.length;
    while (place > 0 && events[place - 1]!.at <= time) place--;
    events.splice(place, 0, { at: time, run });
  };

  const request = (packet: number, time: number) => {
    if (!toRequest.has(time)) {
      toRequest.set(time, []);
      at(time, () => sendRequest(time));
    }
    toRequest.get(time)!.push(packet);
  };
  const sendRequest = (time: number) => {
    const useful = toRequest
      .get(time)!
      .filter((packet) => arrivedAt[packet] === Number.POSITIVE_INFINITY && time + roundTrip < deadline(packet));
    if (useful.length === 0) return;
    for (const packet of useful) request(packet, time + Math.max(5, roundTrip * REPEAT));
    const arrival = back(now);
    if (arrival !== undefined) at(arrival, () => useful.forEach(send));
  };
  const miss = (packet: number) => {
    if (detected[packet] || arrivedAt[packet]! < Number.POSITIVE_INFINITY) return;
    detected[packet] = true;
    request(packet, now + REORDER_WAIT);
  };
  const receive = (packet: number) => {
    arrivedAt[packet] = Math.min(arrivedAt[packet]!, now);
    if (packet > newest) {
      for (let before = newest + 1; before < packet; before++) miss(before);
      newest = packet;
    }
    const frame = Math.floor(packet / packets);
    if (frame !== Math.floor(newest / packets)) return;
    const end = (frame + 1) * packets;
    at(now + SILENCE, () => {
      const last = Math.max(...arrivedAt.slice(frame * packets, end).filter(Number.isFinite));
      if (now < last + SILENCE || Math.floor(newest / packets) !== frame) return;
      for (let rest = frame * packets; rest < end; rest++) miss(rest);
    });
  };
  const send = (packet: number) => {
    const arrival = forward(now);
    if (arrival !== undefined) at(arrival, () => receive(packet));
  };

  for (let frame = 0; frame < frames; frame++) {
    at(captured(frame * packets), () => {
      for (let packet = frame * packets; packet < (frame + 1) * packets; packet++) send(packet);
    });
  }
  for (let event = events.pop(); event; event = events.pop()) {
    now = event.at;
    event.run();
  }
  return Array.from({ length: frames }, (_, frame) =>
    arrivedAt
      .slice(frame * packets, (frame + 1) * packets)
      .some((time, index) => time > deadline(frame * packets + index)),
  );
}

/** True for each frame that missed its budget. @param ratio repair packets per media packet. */
export function secondFec(
  path: SecondPath,
  stream: SecondStream,
  ratio: number,
  frames: number,
  seed: number,
): boolean[] {
  const forward = lossyWay(randomNumbers(seed), path);
  const { packets, budget, framesPerSecond } = stream;
  const repairs = Math.ceil(packets * ratio);
  return Array.from({ length: frames }, (_, frame) => {
    const captured = (frame * 1_000) / framesPerSecond;
    let arrived = 0;
    for (let packet = 0; packet < packets + repairs; packet++) {
      const arrival = forward(captured);
      if (arrival !== undefined && arrival <= captured + budget) arrived++;
    }
    // Any `packets` of them recover the frame.
    return arrived < packets;
  });
}

/** Returns a function from the time of sending to the time of arrival, `undefined` when lost. */
function lossyWay(
  random: () => number,
  { loss, burst, delay, jitter }: Pick<SecondPath, 'loss' | 'burst' | 'delay' | 'jitter'>,
): (now: number) => number | undefined {
  let bad = random() < loss;
  let last = 0;
  return (now) => {
    const lost = burst === 1 ? random() < loss : bad;
    // In the stationary state, leaving and entering the bad state are as frequent: loss / burst of all steps.
    bad = bad ? random() >= 1 / burst : random() < loss / burst / (1 - loss);
    if (lost) return undefined;
    last = Math.max(last, now + delay + random() * jitter);
    return last;
  };
}

/** Numbers in 0 … 1 by mulberry32 (Ettinger). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
