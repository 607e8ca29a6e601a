import { Failure } from '../../io/os/failure.ts';
import { suggestion } from '../../protocol/base/nearest-word.ts';
import { SYNTHETIC_SOUNDS } from '../../sim/synthetic-sound-names.ts';
import { HOST_NAMES, type HostName } from '../machine.ts';
import type { ScenarioInput } from '../scenario.ts';
import { isKernelStrategy, isPathStrategy, STRATEGIES, type StrategyName } from '../strategies.ts';

/** Words of a question, each with the values that it takes and its value where it is absent. */
export const QUESTION_WORDS = {
  loss: { values: 'lost datagrams both ways, such as 1%', default: '0%' },
  burst: { values: 'mean run of losses, datagrams', default: '1' },
  rtt: { values: 'round-trip time, milliseconds', default: '40' },
  jitter: { values: 'variation of the delay each way, milliseconds', default: '0' },
  rate: { values: 'capacity forward, such as 4mbit', default: 'unlimited' },
  queue: { values: 'queue in front of the capacity, such as 300ms', default: 'as in links' },
  link: { values: 'a whole forward link in place of the words above; may be repeated', default: '' },
  back: { values: 'the link back of each link=', default: 'as forward' },
  second: { values: 'a second path in parallel, the same both ways; may be repeated', default: '' },
  budget: { values: 'time from capture to display, milliseconds', default: '200' },
  fps: { values: 'frames per second', default: '30' },
  kbps: { values: 'bit rate of the stream, kilobits per second', default: '2000' },
  keys: { values: 'frames from one key frame to the next', default: '60' },
  sound: { values: 'sound beside the pictures: opus or aac, or file with file=', default: '' },
  seconds: { values: 'length of a run', default: '30' },
  host: { values: `the end hosts: ${HOST_NAMES.join(' or ')}`, default: 'ideal' },
  file: { values: 'a film in place of a synthetic stream; may be repeated', default: '' },
} as const;

type Word = keyof typeof QUESTION_WORDS;
const WORDS = Object.keys(QUESTION_WORDS) as readonly Word[];
/** Values of each word, as they were given. */
type Asked = ReadonlyMap<Word, string[]>;

/** Time at the start of a run that is not counted, seconds. */
const WARM_UP_SECONDS = 2;
/** Longest list that a range stands for. */
const RANGE_MAX = 1_000;

/** A question in one line, as a scenario without seeds. */
export type Question = Omit<ScenarioInput, 'seeds' | 'repeats' | 'strategies'> & {
  readonly strategies: readonly StrategyName[];
};

/**
 * Reads a question such as `"hybrid nack" loss=1%,2% rtt=20,80 budget=100..400/50`. Lists form the Cartesian product of
 * their members; `a..b/step` is a list.
 *
 * @param strategies names, separated by blanks or commas.
 * @throws {Failure} naming the word and what is expected.
 */
export function readQuestion(strategies: string, words: readonly string[]): Question {
  const asked = new Map<Word, string[]>();
  for (const text of words) {
    const split = text.indexOf('=');
    const word = (split < 0 ? text : text.slice(0, split)) as Word;
    if (isStrategy(text))
      throw new Failure(`'${text}': give the strategies in one argument, as "${strategies} ${text}"`, 2);
    if (!WORDS.includes(word)) throw new Failure(`'${text}': ${suggestion(word, WORDS)}`, 2);
    const value = split < 0 ? '' : text.slice(split + 1);
    if (value === '') throw new Failure(`${word}: expected ${QUESTION_WORDS[word].values}, as ${word}=…`, 2);
    const before = asked.get(word);
    if (before && !REPEATED.has(word)) throw new Failure(`${word} is given twice; separate its values by commas`, 2);
    asked.set(word, [...(before ?? []), value]);
  }
  if (asked.has('back') && !asked.has('link')) throw new Failure('back: give the forward link too, as link=…', 2);
  const links = asked.get('link') ?? linksOf(asked);
  const names = namesOf(strategies);
  const second = asked.get('second');
  const overTwo = names.find((name) => isPathStrategy(name));
  if (overTwo && !second) throw new Failure(`${overTwo} runs over two paths: give the other one as second=…`, 2);
  return {
    name: 'ask',
    question: [names.join(' '), ...words].join(' ').slice(0, 300),
    source: sourcesOf(asked),
    link: {
      forward: links,
      back: asked.get('back') ?? backOf(asked, links),
      ...(second && { second: { forward: second } }),
    },
    strategies: names,
    budgetsMs: numbers(asked, 'budget'),
    warmUpSeconds: WARM_UP_SECONDS,
    ...(asked.has('host') && { host: hostOf(asked) }),
  };
}

/** Words that are given once for each value, as their values contain commas. */
const REPEATED: ReadonlySet<Word> = new Set(['link', 'back', 'second', 'file']);
/** Words that describe a link in parts. */
const LINK_PARTS: readonly Word[] = ['loss', 'burst', 'rtt', 'jitter', 'rate', 'queue'];

/** What a question takes: strategies in real time are measured by scenarios. */
const ASKED_STRATEGIES = STRATEGIES.filter((name) => !isKernelStrategy(name));

const isStrategy = (name: string): boolean => (STRATEGIES as readonly string[]).includes(name);

function namesOf(text: string): readonly StrategyName[] {
  const names = [...new Set(text.split(/[\s,]+/).filter((name) => name !== ''))];
  if (names.length === 0) throw new Failure(`expected strategies: ${ASKED_STRATEGIES.join(', ')}`, 2);
  const unknown = names.find((name) => !isStrategy(name));
  if (unknown !== undefined) throw new Failure(`strategy '${unknown}': ${suggestion(unknown, ASKED_STRATEGIES)}`, 2);
  const measured = (names as readonly StrategyName[]).find(isKernelStrategy);
  if (measured) throw new Failure(`${measured} runs in real time: \`dropframe lab run\` measures it in a scenario`, 2);
  return names as readonly StrategyName[];
}

function sourcesOf(asked: Asked): ScenarioInput['source'] {
  const [seconds, another] = numbers(asked, 'seconds');
  if (another !== undefined) throw new Failure('seconds: a question has one length; ask once for each', 2);
  const files = asked.get('file');
  if (files) {
    const other = (['fps', 'kbps', 'keys'] as const).find((word) => asked.has(word));
    if (other) throw new Failure(`${other}: a film has its own; leave out ${other}= or file=`, 2);
    const sound = asked.has('sound') && soundsOf(asked, ['file']).length > 0;
    return files.map((file) => ({ file, ...(sound && { sound }), ...(asked.has('seconds') && { seconds }) }));
  }
  const [fps, kbps, keyInterval] = [numbers(asked, 'fps'), numbers(asked, 'kbps'), numbers(asked, 'keys')];
  const sound = asked.has('sound') ? soundsOf(asked, SYNTHETIC_SOUNDS) : undefined;
  return { synthetic: { fps, kbps, keyInterval, seconds: seconds!, ...(sound && { sound }) } };
}

/** The one profile of the end hosts. @throws {Failure} for an unknown one, and for several. */
function hostOf(asked: Asked): HostName {
  const names = values(asked, 'host');
  const unknown = names.find((name) => !(HOST_NAMES as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Failure(`host: '${unknown}': ${suggestion(unknown, HOST_NAMES)}`, 2);
  if (names.length > 1) throw new Failure('host: a question has one profile; ask once for each', 2);
  return names[0] as HostName;
}

/** Sounds that are asked for. @throws {Failure} for one that is not among the known ones. */
function soundsOf<Name extends string>(asked: Asked, known: readonly Name[]): Name[] {
  const names = [...new Set(values(asked, 'sound'))];
  const unknown = names.find((name) => !(known as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Failure(`sound: '${unknown}': ${suggestion(unknown, known)}`, 2);
  return names as Name[];
}

function linksOf(asked: Asked): string[] {
  let links = [''];
  const cross = (parts: readonly string[]) => {
    links = links.flatMap((link) => parts.map((part) => [link, part].filter((text) => text !== '').join(' ')));
  };
  const bursts = numbers(asked, 'burst');
  const short = bursts.find((burst) => burst < 1);
  if (short !== undefined) throw new Failure(`burst: '${short}': a run of losses has at least 1 datagram`, 2);
  const losses = values(asked, 'loss').map(shareOf);
  cross(
    losses.flatMap((loss) => {
      if (loss === 0) return [''];
      return bursts.map((burst) => `loss=${percentText(loss)}${burst > 1 ? ` burst=${burst}` : ''}`);
    }),
  );
  cross(numbers(asked, 'rtt').map((rtt) => `delay=${rtt / 2}ms`));
  cross(numbers(asked, 'jitter').map((jitter) => (jitter > 0 ? `jitter=${jitter}ms` : '')));
  if (asked.has('queue') && !asked.has('rate')) throw new Failure('queue: give the capacity too, as rate=4mbit', 2);
  for (const word of ['rate', 'queue'] as const) {
    if (asked.has(word)) cross(values(asked, word).map((value) => `${word}=${value}`));
  }
  return [...new Set(links)];
}

/** The links back have the same delay and loss, without the bottleneck. */
function backOf(asked: Asked, links: readonly string[]): string[] | undefined {
  if (asked.has('link')) {
    const part = LINK_PARTS.find((word) => asked.has(word));
    if (part) throw new Failure(`${part}: link= describes the whole link; leave out ${part}= or link=`, 2);
    return undefined;
  }
  return links.map((link) => link.replace(/\s*\b(rate|queue)=\S+/g, ''));
}

const values = (asked: Asked, word: Word): readonly string[] =>
  (asked.get(word)?.[0] ?? QUESTION_WORDS[word].default).split(',').map((value) => value.trim());

/** Numbers of a list, with ranges expanded. */
function numbers(asked: Asked, word: Word): number[] {
  return [...new Set(values(asked, word).flatMap((text) => numbersOf(word, text)))];
}

function numbersOf(word: Word, text: string): number[] {
  const range = /^(\d+(?:\.\d+)?)\.\.(\d+(?:\.\d+)?)(?:\/(\d+(?:\.\d+)?))?$/.exec(text);
  if (range) {
    const [from, to, step] = range.slice(1).map(Number) as [number, number, number];
    const count = Math.floor((to - from) / step + 1e-9) + 1;
    if (count > RANGE_MAX) throw new Failure(`${word}: '${text}': at most ${RANGE_MAX} values; give a longer step`, 2);
    if (!(step > 0 && to >= from)) {
      throw new Failure(`${word}: '${text}': expected a range with a step, such as 100..400/50`, 2);
    }
    return Array.from({ length: count }, (_, index) => Number((from + index * step).toFixed(6)));
  }
  if (!/^\d+(\.\d+)?$/.test(text)) {
    throw new Failure(
      `${word}: '${text}': expected ${QUESTION_WORDS[word].values}: a number or a range 100..400/50`,
      2,
    );
  }
  return [Number(text)];
}

function shareOf(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  const share = match ? Number(match[1]) / (match[2] ? 100 : 1) : Number.NaN;
  if (!(share >= 0 && share < 1)) {
    throw new Failure(`loss: '${text}': expected a share below 100 %, such as 2% or 0.02`, 2);
  }
  return share;
}

const percentText = (share: number): string => `${Number((share * 100).toFixed(6))}%`;
