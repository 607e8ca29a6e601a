import { suggestion } from '../../../protocol/base/nearest-word.ts';
import { malformed, type Parsed, parsed } from '../../../protocol/base/parsed.ts';
import { microseconds, milliseconds } from '../../../protocol/base/units.ts';
import { asTime, type Reader, readBytes, readNumber, readTime } from '../link-values.ts';
import type { DisciplineOptions } from './queue-discipline.ts';

/** Default parameters of each discipline. */
const DEFAULTS = {
  /** RFC 8289 §4.4. ECN marking as in Linux' fq_codel. */
  codel: { kind: 'codel', target: milliseconds(5), interval: milliseconds(100), ecn: true },
  /** RFC 8290 §5.2; the quantum is an Ethernet frame. */
  'fq-codel': { kind: 'fq-codel', target: milliseconds(5), interval: milliseconds(100), ecn: true, quantum: 1_514 },
  /** RFC 9332 appendix A.1. */
  dualpi2: { kind: 'dualpi2', target: milliseconds(15), step: milliseconds(1), coupling: 2 },
} as const satisfies { readonly [Kind in DisciplineOptions['kind']]: DisciplineOptions & { readonly kind: Kind } };

/** A value as it is written, and as it is stored. */
interface Parameter {
  readonly field: string;
  readonly read: (text: string) => number | boolean | undefined;
  readonly write: (value: never) => string;
  readonly expected: string;
}

const positive =
  (read: Reader): Reader =>
  (text) => {
    const value = read(text);
    return value === undefined || value === 0 ? undefined : value;
  };

const time = (field: string): Parameter => ({
  field,
  read: positive(readTime),
  write: asTime,
  expected: 'a time with its unit, such as 5ms, at most 60s',
});

const CODEL: Readonly<Record<string, Parameter>> = {
  target: time('target'),
  interval: time('interval'),
  'ce-threshold': time('ceThreshold'),
  ecn: {
    field: 'ecn',
    read: (text) => (text === 'on' ? true : text === 'off' ? false : undefined),
    write: (value: boolean) => (value ? 'on' : 'off'),
    expected: 'on or off',
  },
};

const PARAMETERS: { readonly [Kind in DisciplineOptions['kind']]: Readonly<Record<string, Parameter>> } = {
  codel: CODEL,
  'fq-codel': {
    ...CODEL,
    quantum: {
      field: 'quantum',
      read: (text) => {
        const bytes = readBytes(text);
        return bytes !== undefined && bytes >= 64 && bytes <= 1_000_000 ? bytes : undefined;
      },
      write: (value: number) => `${value}b`,
      expected: 'bytes such as 1514b, from 64b to 1MB',
    },
  },
  dualpi2: {
    target: time('target'),
    step: time('step'),
    coupling: {
      field: 'coupling',
      read: (text) => {
        const factor = readNumber(text);
        return factor !== undefined && factor >= 1 && factor <= 16 ? factor : undefined;
      },
      write: (value: number) => String(value),
      expected: 'a factor from 1 to 16',
    },
  },
};

const KINDS = Object.keys(DEFAULTS) as DisciplineOptions['kind'][];
const TAIL_DROP = 'tail-drop';

/** Parses `codel`, or `fq-codel(target=10ms quantum=300b)`; `undefined` for `tail-drop`. */
export function parseDiscipline(text: string): Parsed<DisciplineOptions | undefined> {
  const match = /^([^()]*)(?:\(([^()]*)\))?$/.exec(text);
  const name = match?.[1] ?? '';
  const given = match?.[2]?.split(/[\s,]+/).filter((word) => word !== '') ?? [];
  if (name === TAIL_DROP && given.length === 0) return parsed(undefined);
  const kind = KINDS.find((known) => known === name);
  if (kind === undefined) return malformed(suggestion(name, [TAIL_DROP, ...KINDS]));
  const options: Record<string, unknown> = { ...DEFAULTS[kind] };
  const seen = new Set<string>();
  for (const word of given) {
    const [key = '', ...values] = word.split('=');
    const parameter = Object.hasOwn(PARAMETERS[kind], key) ? PARAMETERS[kind][key]! : undefined;
    if (parameter === undefined) return malformed(`${word}: ${suggestion(key, Object.keys(PARAMETERS[kind]))}`);
    if (seen.has(key)) return malformed(`${word}: ${key} is given twice`);
    seen.add(key);
    const value = parameter.read(values.join('='));
    if (value === undefined) return malformed(`${word}: expected ${parameter.expected}`);
    options[parameter.field] = typeof value === 'number' ? microseconds(value) : value;
  }
  return parsed(options as unknown as DisciplineOptions);
}

/** Formats a discipline with the parameters that differ from its defaults. */
export function formatDiscipline(options: DisciplineOptions | undefined): string {
  if (options === undefined) return TAIL_DROP;
  const values: Readonly<Record<string, unknown>> = { ...options };
  const defaults: Readonly<Record<string, unknown>> = DEFAULTS[options.kind];
  const words = Object.entries(PARAMETERS[options.kind])
    .filter(([, { field }]) => values[field] !== undefined && values[field] !== defaults[field])
    .map(([name, { field, write }]) => `${name}=${write(values[field] as never)}`);
  return words.length === 0 ? options.kind : `${options.kind}(${words.join(' ')})`;
}
