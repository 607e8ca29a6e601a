import { malformed, type Parsed, parsed } from '../../../protocol/base/parsed.ts';
import { microseconds } from '../../../protocol/base/units.ts';
import { asShare, asTime, readLinkShare, readLinkWhole, readList, readTime } from '../link-values.ts';
import { parseLossBitmap } from './loss-bitmap.ts';
import type { LossModel } from './loss-model.ts';
import { parsePathTrace } from './path-trace.ts';

/** Returns the content of a file named by a link. The simulator itself reads no files. */
export type TraceReader = (name: string) => Parsed<string>;

const DROPS_MAX = 100_000;
/** Shortest mean sojourn time, microseconds; shorter states are noise at the resolution of the clock. */
const SOJOURN_MIN = 100;

type Read = (value: string, readTrace: TraceReader | undefined) => Parsed<LossModel> | undefined;

const model = (value: LossModel): Parsed<LossModel> => parsed(value);

const readGilbertElliott: Read = (value) => {
  const numbers = readList(value, [readLinkShare, readLinkShare, readLinkShare, readLinkShare], 1);
  if (!numbers) return undefined;
  const [enterBad = 0, leaveBad = 1 - enterBad, lossInBad = 1, lossInGood = 0] = numbers;
  return model({ kind: 'gilbert-elliott', enterBad, leaveBad, lossInBad, lossInGood, step: 'packet' });
};

const readContinuousTime: Read = (value) => {
  const numbers = readList(value, [readLinkShare, readTime, readLinkShare, readLinkShare], 2);
  if (!numbers) return undefined;
  const [badShare = 0, meanBad = 0, lossInBad = 1, lossInGood = 0] = numbers;
  if (badShare === 0 || badShare === 1 || meanBad < SOJOURN_MIN) return undefined;
  return model({ kind: 'continuous-time', badShare, meanBad: microseconds(meanBad), lossInBad, lossInGood });
};

const readFourState: Read = (value) => {
  const numbers = readList(value, [readLinkShare, readLinkShare, readLinkShare, readLinkShare, readLinkShare], 1);
  if (!numbers) return undefined;
  const [p13 = 0, p31 = 1 - p13, p32 = 0, p23 = 1, p14 = 0] = numbers;
  if (p13 + p14 > 1 || p31 + p32 > 1) return undefined;
  return model({ kind: 'four-state', p13, p31, p32, p23, p14 });
};

const readOnOff: Read = (value) => {
  const [durations, ...times] = value.split('/');
  const numbers = readList(times.join('/'), [readTime, readTime]);
  if (!numbers || (durations !== 'exponential' && durations !== 'periodic')) return undefined;
  const [on = 0, off = 0] = numbers;
  if (on < SOJOURN_MIN || off < SOJOURN_MIN) return undefined;
  return model({ kind: 'on-off', durations, on: microseconds(on), off: microseconds(off) });
};

const readDropList: Read = (value) => {
  const numbers = new Set<number>();
  for (const part of value.split('/')) {
    const [first = Number.NaN, last = first, ...more] = part
      .split('-')
      .map((text) => readLinkWhole(text) ?? Number.NaN);
    if (!(first >= 1 && last >= first) || more.length > 0 || numbers.size + last - first >= DROPS_MAX) return undefined;
    for (let number = first; number <= last; number++) numbers.add(number);
  }
  return model({ kind: 'drop-list', numbers: [...numbers].sort((a, b) => a - b) });
};

const readShuffled: Read = (value) => {
  const numbers = readList(value, [readLinkShare, readLinkWhole]);
  const [loss = 0, block = 0] = numbers ?? [];
  return block >= 1 && block <= 65_536 ? model({ kind: 'shuffled', loss, block }) : undefined;
};

const readBitmap: Read = (value, readTrace) => {
  const content = readNamed(value, readTrace, (name, text) => parseLossBitmap(name, text));
  return content.ok ? model({ kind: 'bitmap', bitmap: content.value }) : content;
};

const readPath: Read = (value, readTrace) => {
  const content = readNamed(value, readTrace, parsePathTrace);
  return content.ok ? model({ kind: 'path-trace', trace: content.value }) : content;
};

/** Reads `NAME` or `NAME#hash`. With a hash, fails when the content does not match it. */
export function readNamed<T extends { readonly hash: string }>(
  value: string,
  readTrace: TraceReader | undefined,
  parse: (name: string, text: string) => Parsed<T>,
): Parsed<T> {
  const [, name = value, hash] = /^(.+)#([0-9a-f]{16})$/.exec(value) ?? [];
  if (name === '') return malformed('expected a file name');
  if (!readTrace) return malformed('files cannot be read here');
  const text = readTrace(name);
  if (!text.ok) return text;
  const content = parse(name, text.value);
  if (content.ok && hash !== undefined && content.value.hash !== hash) {
    return malformed(`the content of ${name} has changed: its hash is now ${content.value.hash}`);
  }
  return content;
}

/** Words that select a loss model, with their parsers and the expected form. */
export const LOSS_WORDS: Readonly<Record<string, { readonly read: Read; readonly expected: string }>> = {
  ge: { read: readGilbertElliott, expected: 'p/r/loss in Bad/loss in Good, such as 1%/30%/100%/0%' },
  ctge: {
    read: readContinuousTime,
    expected: 'share of time in Bad/mean time in Bad/loss in Bad/loss in Good, such as 2%/200ms',
  },
  state4: { read: readFourState, expected: 'p13/p31/p32/p23/p14, such as 2%/30%/5%/40%/0.1%' },
  onoff: { read: readOnOff, expected: 'exponential or periodic/time up/time down, such as periodic/5s/2s' },
  drop: { read: readDropList, expected: 'numbers of datagrams (the first is 1), such as 1/3/15-18' },
  losstrace: { read: readBitmap, expected: 'the name of a file with one digit per datagram, 1 lost and 0 received' },
  pathtrace: {
    read: readPath,
    expected: 'the name of a file with the time and the delay of each datagram in ms, or lost',
  },
  shuffle: { read: readShuffled, expected: 'share/datagrams per block, such as 5%/100' },
};

const STEP_EXPECTED = 'expected packet, frame or a time such as 10ms';

/** Applies `step=…`, which is valid only with `ge`. */
export function withStep(of: LossModel | undefined, value: string): Parsed<LossModel> {
  if (of?.kind !== 'gilbert-elliott') return malformed('step requires ge');
  if (value === 'packet' || value === 'frame') return parsed({ ...of, step: value });
  const step = readTime(value);
  if (step === undefined || step < SOJOURN_MIN) return malformed(STEP_EXPECTED);
  return parsed({ ...of, step });
}

/** Formats a loss model in canonical form. */
export function formatLossModel(of: LossModel): string[] {
  const shares = (...values: readonly number[]) => values.map(asShare).join('/');
  switch (of.kind) {
    case 'gilbert-elliott': {
      const words = [`ge=${shares(of.enterBad, of.leaveBad, of.lossInBad, of.lossInGood)}`];
      if (of.step !== 'packet') words.push(`step=${of.step === 'frame' ? 'frame' : asTime(of.step)}`);
      return words;
    }
    case 'continuous-time':
      return [`ctge=${asShare(of.badShare)}/${asTime(of.meanBad)}/${shares(of.lossInBad, of.lossInGood)}`];
    case 'four-state':
      return [`state4=${shares(of.p13, of.p31, of.p32, of.p23, of.p14)}`];
    case 'on-off':
      return [`onoff=${of.durations}/${asTime(of.on)}/${asTime(of.off)}`];
    case 'drop-list':
      return [`drop=${ranges(of.numbers).join('/')}`];
    case 'bitmap':
      return [`losstrace=${quoted(`${of.bitmap.name}#${of.bitmap.hash}`)}`];
    case 'path-trace':
      return [`pathtrace=${quoted(`${of.trace.name}#${of.trace.hash}`)}`];
    case 'shuffled':
      return [`shuffle=${asShare(of.loss)}/${of.block}`];
    default:
      return of satisfies never;
  }
}

/** Adds quotation marks when the value contains blanks or commas. */
export const quoted = (value: string): string => (/[\s,]/.test(value) ? `"${value}"` : value);

function ranges(numbers: readonly number[]): string[] {
  const words: string[] = [];
  for (let first = 0; first < numbers.length; ) {
    let last = first;
    while (numbers[last + 1] === numbers[last]! + 1) last++;
    words.push(last === first ? `${numbers[first]}` : `${numbers[first]}-${numbers[last]}`);
    first = last + 1;
  }
  return words;
}
