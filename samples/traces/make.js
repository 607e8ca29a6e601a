// Generates lte-drive.down, lte-drive.up and wifi-crowded.down: `node samples/traces/make.js [FOLDER]`. They are models of
// a drive through the cells of a mobile network and of a crowded Wi-Fi, not recordings; README.md describes the models
// and compares the drive with recordings.
// Only integers, sums, products, square roots and one table of powers of two are used: the output is identical on all machines.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SECONDS = 80;
/** Out of the first 40 seeds, the one whose traces are closest to the recordings. */
const SEED = 15;
const STEP_MS = 10;
/** Bits per packet, which is one line of a trace. */
const PACKET_BITS = 12_000;

/**
 * Parameters of one direction. The base-2 logarithm of the capacity is that of `median` (bits per second) plus two
 * mean-reverting terms: `slow` for the position in the cell and `fast` for fading, each with its standard deviation
 * and time constant. `shared`: correlation of the slow terms of both directions. `pauses` (scheduler) and `outages`:
 * rate and mean duration; both are more frequent at the edge of a cell. `served`: fraction of the milliseconds in which
 * packets are sent.
 */
const DOWN = {
  median: 3_700_000,
  slow: { deviation: 1.1, milliseconds: 3_000 },
  fast: { deviation: 0.55, milliseconds: 250 },
  shared: 0.7,
  pauses: { perSecond: 0.9, milliseconds: 80 },
  outages: { perSecond: 0.05, milliseconds: 400 },
  served: 0.36,
};
const UP = {
  median: 1_650_000,
  slow: { deviation: 0.95, milliseconds: 2_000 },
  fast: { deviation: 0.85, milliseconds: 250 },
  shared: 0.7,
  pauses: { perSecond: 1.2, milliseconds: 80 },
  outages: { perSecond: 0.06, milliseconds: 1_100 },
  served: 0.2,
};
/** Outages of both directions together. */
const HANDOVERS = { perSecond: 0.05, milliseconds: 400 };
/** At the edge of a cell (slow term below EDGE standard deviations), pauses and outages are EDGE_FACTOR times as frequent. */
const EDGE = -0.8;
const EDGE_FACTOR = 3;

/** Pseudorandom numbers in [0, 1): a 32-bit counter with a mixing function. */
function chance(seed) {
  let counter = seed | 0;
  return () => {
    counter = (counter + 0x9e3779b9) | 0;
    let bits = Math.imul(counter ^ (counter >>> 16), 0x21f0aaad);
    bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
    return ((bits ^ (bits >>> 15)) >>> 0) / 4_294_967_296;
  };
}

/** Approximately normal, mean 0, standard deviation 1: the sum of twelve uniform numbers minus 6. */
function normal(random) {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random();
  return sum;
}

/** 2^(i/64) for i from 0 to 63. */
const POWERS = Array.from({ length: 64 });
POWERS[0] = 1;
for (let i = 1; i < 64; i++) POWERS[i] = POWERS[i - 1] * 1.0108892860517005;

/** 2^exponent, with the exponent rounded to 1/64. */
function powerOfTwo(exponent) {
  const sixtyFourths = Math.round(exponent * 64);
  const whole = Math.floor(sixtyFourths / 64);
  let power = POWERS[sixtyFourths - whole * 64];
  for (let i = 0; i < whole; i++) power *= 2;
  for (let i = 0; i > whole; i--) power /= 2;
  return power;
}

/** First-order autoregressive process with mean 0, standard deviation 1 and the given time constant. */
function wanderer(random, milliseconds) {
  const kept = 1 - STEP_MS / milliseconds;
  const step = Math.sqrt(1 - kept * kept);
  let value = normal(random);
  return () => {
    value = kept * value + step * normal(random);
    return value;
  };
}

/** Random on/off process, one value per step, with geometrically distributed durations; `factor` scales the rate of starts. */
function spells(random, { perSecond, milliseconds }) {
  let on = false;
  return (factor) => {
    const draw = random();
    on = on ? draw >= STEP_MS / milliseconds : draw < (perSecond * factor * STEP_MS) / 1_000;
    return on;
  };
}

/** Delivery opportunities: the milliseconds at which one packet can leave. */
function opportunities(random, direction, shared) {
  const own = wanderer(random, direction.slow.milliseconds);
  const fast = wanderer(random, direction.fast.milliseconds);
  const pause = spells(random, direction.pauses);
  const outage = spells(random, direction.outages);
  const ownShare = Math.sqrt(1 - direction.shared * direction.shared);
  const times = [];
  let credit = 0;
  for (const [step, { place, handover }] of shared.entries()) {
    const slow = direction.shared * place + ownShare * own();
    const exponent = slow * direction.slow.deviation + fast() * direction.fast.deviation;
    const factor = slow < EDGE ? EDGE_FACTOR : 1;
    const paused = pause(factor);
    const out = outage(factor);
    const rate = paused || out || handover ? 0 : direction.median * powerOfTwo(exponent);
    for (let millisecond = 1; millisecond <= STEP_MS; millisecond++) {
      credit += rate / 1_000 / PACKET_BITS;
      // The scheduler of the cell serves one phone at a time; capacity accumulates in between.
      if (rate === 0 || random() >= direction.served) continue;
      for (; credit >= 1; credit--) times.push(step * STEP_MS + millisecond);
    }
  }
  // Mahimahi repeats a trace after its last line, which therefore sets the period.
  if (times.at(-1) !== SECONDS * 1_000) times.push(SECONDS * 1_000);
  return times;
}

export function drive(seed) {
  const random = chance(Math.imul(seed, 0x1000193));
  const place = wanderer(random, DOWN.slow.milliseconds);
  const handover = spells(random, HANDOVERS);
  const shared = Array.from({ length: (SECONDS * 1_000) / STEP_MS }, () => ({ place: place(), handover: handover(1) }));
  return { down: opportunities(random, DOWN, shared), up: opportunities(random, UP, shared) };
}

const WIFI_SECONDS = 20;
const WIFI_SEED = 1;
/**
 * A station gets the channel each few milliseconds, and sends up to twelve packets as one aggregate (A-MPDU). Now and
 * then it loses the channel for much longer: other networks, or retries.
 */
const WIFI = { gapMs: 20, packets: 12, blocked: 0.03, blockedMinMs: 40, blockedMaxMs: 120 };

export function crowdedWifi(seed) {
  const random = chance(Math.imul(seed, 0x1000193));
  const times = [];
  for (let now = 1; now < WIFI_SECONDS * 1_000; ) {
    const packets = 1 + Math.floor(random() * WIFI.packets);
    for (let packet = 0; packet < packets; packet++) times.push(now);
    const draw = random();
    const long = random() < WIFI.blocked;
    const { blockedMinMs, blockedMaxMs, gapMs } = WIFI;
    now += 1 + Math.floor(long ? blockedMinMs + draw * (blockedMaxMs - blockedMinMs) : draw * draw * gapMs);
  }
  times.push(WIFI_SECONDS * 1_000);
  return times;
}

const LIFT_SEED = 1;
/**
 * A phone before, in and behind a lift: seconds from the start, and the capacity from there on in Mb/s. Between two
 * entries it changes evenly.
 */
const LIFT = [
  [0, 6],
  [18, 6],
  [20, 0.4],
  [23, 0.25],
  [23, 0],
  [24.5, 0],
  [24.5, 0.25],
  [31, 0.3],
  [31, 0],
  [32, 0],
  [32, 0.3],
  [34, 0.4],
  [36, 6],
  [40, 6],
];
/** Share by which the capacity of 10 ms deviates at most. */
const LIFT_JITTER = 0.4;

export function lift(seed) {
  const random = chance(Math.imul(seed, 0x1000193));
  const times = [];
  let credit = 0;
  const seconds = LIFT.at(-1)[0];
  for (let now = STEP_MS; now <= seconds * 1_000; now += STEP_MS) {
    const next = LIFT.findIndex(([from]) => from * 1_000 > now - STEP_MS);
    const [[from, before], [until, after]] = [LIFT[next - 1], LIFT[next]];
    const rate = before + ((after - before) * (now / 1_000 - from)) / (until - from);
    credit += (rate * 1e6 * STEP_MS * (1 + LIFT_JITTER * (2 * random() - 1))) / 1_000 / PACKET_BITS;
    for (; credit >= 1; credit--) times.push(now);
  }
  if (times.at(-1) !== seconds * 1_000) times.push(seconds * 1_000);
  return times;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? dirname(fileURLToPath(import.meta.url));
  for (const [direction, times] of Object.entries(drive(SEED))) {
    writeFileSync(join(folder, `lte-drive.${direction}`), `${times.join('\n')}\n`);
    console.error(`lte-drive.${direction}: ${times.length} packets in ${SECONDS} s`);
  }
  const times = lift(LIFT_SEED);
  writeFileSync(join(folder, 'lift.down'), `${times.join('\n')}\n`);
  console.error(`lift.down: ${times.length} packets in ${LIFT.at(-1)[0]} s`);
  const wifi = crowdedWifi(WIFI_SEED);
  writeFileSync(join(folder, 'wifi-crowded.down'), `${wifi.join('\n')}\n`);
  console.error(`wifi-crowded.down: ${wifi.length} packets in ${WIFI_SECONDS} s`);
}
