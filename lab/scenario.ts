import { z } from 'zod';
import { Failure } from '../io/os/failure.ts';
import { suggestion } from '../protocol/base/nearest-word.ts';
import { malformed } from '../protocol/base/parsed.ts';
import { RATE_CONTROLS } from '../sender/rate/rate-control.ts';
import { parseLinkSpecification } from '../sim/link/link-parse.ts';
import type { TraceReader } from '../sim/link/loss/loss-words.ts';
import { STRATEGIES, type StrategyName } from './strategies.ts';

/** Schema of a scenario: sources, links, strategies and budgets. Lists form the Cartesian product of their members. */

const oneOrMany = <Item extends z.ZodType>(item: Item) => z.union([item, z.array(item).min(1)]);
const whole = (min: number, max: number) =>
  z
    .number({ error: `expected a whole number from ${min} to ${max}` })
    .int(`expected a whole number from ${min} to ${max}`)
    .min(min, `expected a whole number from ${min} to ${max}`)
    .max(max, `expected a whole number from ${min} to ${max}`);
const real = (min: number, max: number, what: string) =>
  z
    .number({ error: `expected ${what} from ${min} to ${max}` })
    .min(min, `expected ${what} from ${min} to ${max}`)
    .max(max, `expected ${what} from ${min} to ${max}`);

/** An object whose unknown keys are answered with the known one that is alike, a line each, in the order of the keys. */
const strict = <Shape extends z.core.$ZodShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => `unknown; ${suggestion(key, Object.keys(shape))}`).join('\n')
        : undefined,
  });

const NO_TRACES: TraceReader = () => malformed('files cannot be read here');

/** Longest stream of a cell, seconds: one day. */
export const SECONDS_MAX = 86_400;

const synthetic = strict({
  fps: oneOrMany(real(1, 240, 'frames per second')).default(30),
  kbps: oneOrMany(real(10, 1_000_000, 'kilobits per second')).default(4_000),
  /** Frames from one key frame to the next. */
  keyInterval: oneOrMany(whole(1, 100_000)).default(30),
  /** Size of a key frame relative to other frames. */
  keyFrameRatio: real(1, 100, 'a ratio').default(4),
  seconds: real(1, SECONDS_MAX, 'seconds'),
});

/** A synthetic encoder that follows the target of the strategy's rate controller. */
const adaptive = strict({
  fps: real(1, 240, 'frames per second').default(30),
  kbpsMin: real(10, 1_000_000, 'kilobits per second').default(100),
  kbpsMax: real(10, 1_000_000, 'kilobits per second').default(4_000),
  seconds: real(1, SECONDS_MAX, 'seconds'),
}).refine(({ kbpsMin, kbpsMax }) => kbpsMin <= kbpsMax, {
  path: ['kbpsMin'],
  message: 'expected at most kbpsMax',
});

const sourceSchema = z.union([
  strict({ synthetic }),
  strict({ adaptive }),
  strict({
    /** Path relative to the scenario's folder. */
    file: z.string({ error: 'expected the path of a video file' }).min(1, 'expected the path of a video file'),
    seconds: real(0.1, SECONDS_MAX, 'seconds').optional(),
    fps: real(1, 240, 'frames per second').optional(),
  }),
]);

const linkLine = (readTrace: TraceReader) =>
  z.string({ error: 'expected a link, such as "loss=2% delay=20ms"' }).superRefine((text, context) => {
    if (/(^|[\s,])seed=/.test(text)) {
      context.addIssue({
        code: 'custom',
        message: `'${text}': a link in a scenario takes no seed; use "seeds" or "repeats"`,
      });
      return;
    }
    const link = parseLinkSpecification(text, readTrace);
    if (!link.ok) context.addIssue({ code: 'custom', message: link.malformed });
  });

const strategyName = z.enum(STRATEGIES, {
  error: ({ input }) => `'${String(input)}': unknown; ${suggestion(String(input), STRATEGIES)}`,
});
const rateControl = z.enum(RATE_CONTROLS, {
  error: ({ input }) => `'${String(input)}': unknown; ${suggestion(String(input), RATE_CONTROLS)}`,
});
/** Parameters by transport. On the other transport they would change nothing but the cell's name. */
const PARAMETERS_OF = { udp: ['redundancy', 'onLoss', 'rate'], tcp: ['unsentBytesMax', 'giveUpMs'] } as const;
const strategySchema = z.union([
  strategyName,
  strict({
    strategy: strategyName,
    redundancy: real(0, 1, 'a fraction').optional(),
    unsentBytesMax: whole(1, 1_000_000_000).optional(),
    giveUpMs: real(0, 600_000, 'milliseconds').optional(),
    onLoss: z.enum(['freeze', 'smear'], { error: 'expected "freeze" or "smear"' }).optional(),
    rate: rateControl.optional(),
  }).superRefine((asked, context) => {
    const other = asked.strategy.startsWith('tcp-') ? 'udp' : 'tcp';
    for (const key of PARAMETERS_OF[other]) {
      if (asked[key] === undefined) continue;
      const message = `not a parameter of ${asked.strategy}, but of ${other.toUpperCase()} strategies`;
      context.addIssue({ code: 'custom', path: [key], message });
    }
  }),
]);

const scenarioSchema = (readTrace: TraceReader) =>
  strict({
    name: z
      .string({ error: 'expected a name' })
      .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'expected a name of a-z, 0-9 and dashes, at most 64 characters'),
    question: z.string({ error: 'expected the question as a text' }).min(1).max(300, 'expected at most 300 characters'),
    source: z.union([sourceSchema, z.array(sourceSchema).min(1, 'expected at least one source')]),
    link: strict({
      forward: oneOrMany(linkLine(readTrace)),
      /** One line for all forward links, or as many as forward links, used in pairs. Default: the same as forward. */
      back: oneOrMany(linkLine(readTrace)).optional(),
    }),
    strategies: z
      .array(strategySchema, { error: 'expected a list of strategies' })
      .min(1, 'expected at least one strategy'),
    /** Time from capture until a frame is useless, including the transit. */
    budgetsMs: oneOrMany(real(1, 60_000, 'milliseconds')),
    seeds: z.array(whole(0, 0xffff_ffff)).min(1, 'expected at least one seed').optional(),
    repeats: whole(1, 100_000).optional(),
    /** Number of kernel measurements per path, which are not reproducible. */
    kernelRepeats: whole(1, 1_000).default(1),
    warmUpSeconds: real(0, 3_600, 'seconds').default(0),
    release: z.enum(['deadline', 'asap'], { error: 'expected "deadline" or "asap"' }).default('deadline'),
    output: strict({
      frames: z.boolean().default(false),
      packets: z.boolean().default(false),
      qlog: z.boolean().default(false),
      pcapng: z.boolean().default(false),
      quality: z.boolean().default(false),
      video: z.boolean().default(false),
    }).prefault({}),
  });

export type Scenario = z.output<ReturnType<typeof scenarioSchema>>;
/** A scenario as it is written: fields with a default may be absent, and a list may be its only member. */
export type ScenarioInput = z.input<ReturnType<typeof scenarioSchema>>;
export type ScenarioSource = z.output<typeof sourceSchema>;
export type ScenarioOutput = Scenario['output'];
export type { StrategyName };

/**
 * Parses a scenario.
 *
 * @param name file name, for messages.
 * @param readTrace returns the content of files named by links.
 * @throws {Failure} listing all mistakes, each with its place in the file and the expected value.
 */
export function parseScenario(text: string, name: string, readTrace: TraceReader = NO_TRACES): Scenario {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Failure(`${name} is not JSON: ${(error as Error).message}`, 2);
  }
  const result = scenarioSchema(readTrace).safeParse(value);
  if (!result.success)
    throw mistakes(
      name,
      // A misspelled key explains the one that is missing.
      result.error.issues
        .flatMap((issue) => describe(issue, value))
        .sort((one, other) => Number(other.unknown) - Number(one.unknown))
        .map(({ text }) => text),
    );
  const scenario = result.data;
  const found: string[] = [];
  const forward = manyOf(scenario.link.forward);
  const back = manyOf(scenario.link.back ?? forward);
  if (back.length !== 1 && back.length !== forward.length) {
    found.push(`link.back: expected one line, or ${forward.length} as in link.forward; found ${back.length}`);
  }
  if (scenario.seeds && scenario.repeats) found.push('repeats: expected "seeds" or "repeats", not both');
  const shortest = Math.min(
    ...manyOf(scenario.source).map((one) => {
      if ('adaptive' in one) return one.adaptive.seconds;
      return 'synthetic' in one ? one.synthetic.seconds : (one.seconds ?? SECONDS_MAX);
    }),
  );
  if (scenario.warmUpSeconds >= shortest) {
    found.push(`warmUpSeconds: expected less than the stream's duration, ${shortest} s`);
  }
  if (found.length > 0) throw mistakes(name, found);
  return scenario;
}

export const manyOf = <Item>(value: Item | readonly Item[]): readonly Item[] =>
  Array.isArray(value) ? value : [value as Item];

/** A single mistake in the line of the file's name; several in a line each, unknown keys first. */
function mistakes(name: string, found: readonly string[]): Failure {
  const different = [...new Set(found)];
  if (different.length === 1) return new Failure(`${name}: ${different[0]}`, 2);
  return new Failure(`${name}: ${different.length} mistakes:`, 2, { findings: different });
}

type Issue = z.core.$ZodIssue;

interface Mistake {
  readonly text: string;
  /** True for a key that is not part of the format. */
  readonly unknown: boolean;
}

/** Describes one mistake; for a union, the mistakes of the member nearest to the input. */
function describe(issue: Issue, input: unknown): Mistake[] {
  if (issue.code === 'invalid_union') {
    const nearest = [...issue.errors].sort((one, other) => depth(other) - depth(one) || one.length - other.length)[0];
    if (nearest && nearest.length > 0) {
      return nearest.flatMap((inner) => describe({ ...inner, path: [...issue.path, ...inner.path] } as Issue, input));
    }
  }
  const place = placeOf(issue.path);
  if (issue.code === 'unrecognized_keys') {
    const answers = issue.message.split('\n');
    return issue.keys.map((key, i) => ({
      text: `${place === '' ? key : `${place}.${key}`}: ${answers[i]}`,
      unknown: true,
    }));
  }
  const missing = issue.code === 'invalid_type' && valueAt(input, issue.path) === undefined;
  const text = `${place || 'the file'}: ${missing ? 'is missing: ' : ''}${lower(issue.message)}`;
  return [{ text, unknown: false }];
}

/** How deep into the file the mistakes of a union member lie: the best matching member fails deepest. */
function depth(issues: readonly Issue[]): number {
  let deepest = 0;
  for (const issue of issues) {
    const inner = issue.code === 'invalid_union' ? Math.max(0, ...issue.errors.map((errors) => depth(errors))) : 0;
    // An unknown key next to known ones is nearer than a value of the wrong type.
    const unknown = issue.code === 'unrecognized_keys' ? 0.5 : 0;
    const custom = issue.code === 'custom' ? 0.25 : 0;
    deepest = Math.max(deepest, issue.path.length + inner + unknown + custom);
  }
  return deepest;
}

const placeOf = (path: readonly PropertyKey[]): string =>
  path.map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i > 0 ? '.' : ''}${String(step)}`)).join('');

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const step of path) value = (value as Record<PropertyKey, unknown> | undefined)?.[step];
  return value;
}

const lower = (message: string): string => message.replace(/^Invalid input: /, '');
