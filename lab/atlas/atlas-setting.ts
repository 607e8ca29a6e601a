import { Failure } from '../../io/os/failure.ts';
import { suggestion } from '../../protocol/base/nearest-word.ts';
import { ATLAS_AXES, type AtlasAxis, type AtlasAxisName, axisValues } from '../../protocol/page/atlas-axes.ts';
import type { AtlasTerms } from '../../protocol/page/atlas-manifest.ts';
import { seedsNeeded } from '../ask/sampling.ts';
import { SIMULATED_STRATEGIES, type SimulatedStrategyName } from '../strategies.ts';
import { ATLAS_WORDS } from './setting-words.ts';

/** Everything that determines what an atlas shows, but for its number of cells. */
export interface AtlasSetting extends AtlasTerms {
  readonly strategies: readonly SimulatedStrategyName[];
}

const SCALES: { readonly [Name in AtlasAxisName]: AtlasAxis['scale'] } = {
  loss: 'log',
  burst: 'log',
  rtt: 'log',
  jitter: 'linear',
  budget: 'log',
  rate: 'inverse',
};

type Word = keyof typeof ATLAS_WORDS;
const WORDS = Object.keys(ATLAS_WORDS) as readonly Word[];

/** Of a question of `lab ask`. */
const WARM_UP_SECONDS = 2;
const UNTIL = 0.01;
const SEEDS_MAX = 5;
const TOLERANCE = 0.02;
/** Knots of an axis at most; a coarse grid takes all combinations. */
const KNOTS_MAX = 9;

/**
 * Reads the axes of an atlas, such as `loss=0.1%,10% rtt=20,200 rate=unlimited`: ascending values, between which the
 * atlas is refined. An axis with a single value is fixed.
 * @throws {Failure} naming the word and what is expected.
 */
export function readAtlasSetting(words: readonly string[], strategies?: readonly string[]): AtlasSetting {
  const asked = new Map<Word, string>();
  for (const text of words) {
    const [word, value] = text.split(/=(.*)/s) as [Word, string | undefined];
    if (!WORDS.includes(word)) throw new Failure(`'${text}': ${suggestion(word, WORDS)}`, 2);
    if (!value) throw new Failure(`${word}: expected ${ATLAS_WORDS[word].values}, as ${word}=…`, 2);
    if (asked.has(word)) throw new Failure(`${word} is given twice; separate its values by commas`, 2);
    asked.set(word, value);
  }
  const textOf = (word: Word) => asked.get(word) ?? ATLAS_WORDS[word].default;
  const one = (word: 'kbps' | 'fps' | 'keys' | 'seconds') => numberOf(word, textOf(word));
  const stream = { fps: one('fps'), kbps: one('kbps'), keys: one('keys'), seconds: one('seconds') };
  const frames = Math.floor((stream.seconds - WARM_UP_SECONDS) * stream.fps);
  // `lab ask` refuses such a question, so that its figures could not be asked for again.
  if (frames < 1 || seedsNeeded(UNTIL, frames, SEEDS_MAX) === undefined) {
    const counted = `the ${Math.max(0, frames)} frames that count of a run`;
    throw new Failure(`seconds: ${counted} are too few for an interval of ±${UNTIL * 100} points; give more`, 2);
  }
  const names = strategies ?? SIMULATED_STRATEGIES;
  const unknown = names.find((name) => !(SIMULATED_STRATEGIES as readonly string[]).includes(name));
  if (unknown !== undefined)
    throw new Failure(`strategy '${unknown}': ${suggestion(unknown, SIMULATED_STRATEGIES)}`, 2);
  return {
    axes: ATLAS_AXES.map((name) => axisOf(name, textOf(name))),
    strategies: SIMULATED_STRATEGIES.filter((name) => names.includes(name)),
    stream,
    until: UNTIL,
    seedsMax: SEEDS_MAX,
    tolerance: TOLERANCE,
  };
}

/** Higher along an axis: a lower capacity, and more of everything else. */
const rankOf = (name: AtlasAxisName, value: number): number => (name !== 'rate' ? value : value === 0 ? 0 : 1 / value);

function isOrdered(name: AtlasAxisName, values: readonly number[]): boolean {
  return values.every((value, index) => index === 0 || rankOf(name, value) > rankOf(name, values[index - 1]!));
}

function axisOf(name: AtlasAxisName, text: string): AtlasAxis {
  const axis = { name, knots: knotsOf(name, text), scale: SCALES[name] };
  // Points are found by their values, which have three digits.
  if (isOrdered(name, axisValues(axis))) return axis;
  throw new Failure(`${name}: '${text}': too close for refined values of three digits; give values further apart`, 2);
}

function knotsOf(name: AtlasAxisName, text: string): readonly number[] {
  const knots = text.split(',').map((each) => knotOf(name, each.trim()));
  if (knots.length > KNOTS_MAX)
    throw new Failure(`${name}: at most ${KNOTS_MAX} values; the atlas refines between them`, 2);
  if (isOrdered(name, knots)) return knots;
  const order = name === 'rate' ? 'from unlimited downwards, such as unlimited,4mbit,1250kbit' : 'ascending';
  throw new Failure(`${name}: '${text}': expected different values, ${order}`, 2);
}

/** Reads a value: loss in percent, times in milliseconds, rates in kilobits per second. */
function knotOf(name: AtlasAxisName, text: string): number {
  if (name === 'rate') return rateOf(text);
  const value = numberOf(name, name === 'loss' ? text.replace(/%$/, '') : text);
  if (name === 'loss' && value >= 100) throw new Failure(`loss: '${text}': expected less than 100 %`, 2);
  if (name === 'burst' && value < 1) throw new Failure(`burst: '${text}': a run of losses has 1 datagram or more`, 2);
  // Its values are in proportion; a path without loss has nothing to compare.
  if (SCALES[name] === 'log' && value === 0) throw new Failure(`${name}: '${text}': expected more than 0`, 2);
  return value;
}

function rateOf(text: string): number {
  if (text === 'unlimited') return 0;
  const [, number, unit] = /^(\d+(?:\.\d+)?)(kbit|mbit)$/.exec(text) ?? [];
  const rate = Number(number) * (unit === 'mbit' ? 1_000 : 1);
  if (!(rate > 0)) throw new Failure(`rate: '${text}': expected ${ATLAS_WORDS.rate.values}`, 2);
  return rate;
}

function numberOf(word: Word, text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw new Failure(`${word}: '${text}': expected ${ATLAS_WORDS[word].values}`, 2);
  return value;
}
