// Makes lte-drive.down and lte-drive.up afresh: `node samples/traces/make.js [FOLDER]`. A model of a drive through the cells of a
// mobile network, not a recording; README.md beside it says after what it is modelled and how near it comes.
// It calculates with whole numbers, sums, products and one table of powers of two, which are the same on every machine.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SECONDS = 80;
/** Of the first forty seeds the one whose two traces are nearest to the recordings. */
const SEED = 15;
const STEP_MS = 10;
/** A line of a trace is one packet of so many bits. */
const PACKET_BITS = 12_000;

/**
 * Of one direction. `median`: bits a second. The logarithm to base 2 of the capacity is that of the median, and two parts
 * that are drawn back to 0: `slow`, the place in the cell, and `fast`, fading; each with its standard deviation and the
 * milliseconds after which a third of it is left. `shared`: how much of the slow part both directions have in common.
 * `pauses` of the scheduler and `outages`, a second, and how long they last on average; an outage that is a handover
 * takes both directions. At the edge of a cell both are more frequent.
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
const HANDOVERS = { perSecond: 0.05, milliseconds: 400 };
/** Where the slow part is below so many deviations, pauses and outages come so many times as often. */
const EDGE = -0.8;
const EDGE_FACTOR = 3;

/** Numbers by chance, 0 … 1: a counter whose bits are mixed, 32 bits wide. */
function chance(seed) {
  let counter = seed | 0;
  return () => {
    counter = (counter + 0x9e3779b9) | 0;
    let bits = Math.imul(counter ^ (counter >>> 16), 0x21f0aaad);
    bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
    return ((bits ^ (bits >>> 15)) >>> 0) / 4_294_967_296;
  };
}

/** Nearly normal, mean 0 and deviation 1: twelve throws added up. */
function normal(random) {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random();
  return sum;
}

/** 2 to the power of the sixty-fourths from 0 to 63. */
const POWERS = Array.from({ length: 64 });
POWERS[0] = 1;
for (let i = 1; i < 64; i++) POWERS[i] = POWERS[i - 1] * 1.0108892860517005;

/** 2 to a power, to the nearest sixty-fourth. */
function powerOfTwo(exponent) {
  const sixtyFourths = Math.round(exponent * 64);
  const whole = Math.floor(sixtyFourths / 64);
  let power = POWERS[sixtyFourths - whole * 64];
  for (let i = 0; i < whole; i++) power *= 2;
  for (let i = 0; i > whole; i--) power /= 2;
  return power;
}

/** A number that wanders and is drawn back to 0; deviation 1. */
function wanderer(random, milliseconds) {
  const kept = 1 - STEP_MS / milliseconds;
  const step = Math.sqrt(1 - kept * kept);
  let value = normal(random);
  return () => {
    value = kept * value + step * normal(random);
    return value;
  };
}

/** Whether it is on, step after step: begins so often a second, and lasts as long as chance has it. */
function spells(random, { perSecond, milliseconds }) {
  let on = false;
  return (factor) => {
    const draw = random();
    on = on ? draw >= STEP_MS / milliseconds : draw < (perSecond * factor * STEP_MS) / 1_000;
    return on;
  };
}

/** The milliseconds at which a packet may leave. */
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
      // A cell serves one phone after the other.
      if (rate === 0 || random() >= direction.served) continue;
      for (; credit >= 1; credit--) times.push(step * STEP_MS + millisecond);
    }
  }
  // The last line is the length of a round.
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? dirname(fileURLToPath(import.meta.url));
  for (const [direction, times] of Object.entries(drive(SEED))) {
    writeFileSync(join(folder, `lte-drive.${direction}`), `${times.join('\n')}\n`);
    console.error(`lte-drive.${direction}: ${times.length} packets in ${SECONDS} s`);
  }
}
