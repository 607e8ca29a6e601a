import { z } from 'zod';
import { Failure } from '../io/os/failure.ts';
import { malformed } from '../protocol/base/parsed.ts';
import { parseLinkSpecification } from '../sim/link/link-parse.ts';
import type { TraceReader } from '../sim/link/loss/loss-words.ts';
import { STRATEGIES, type StrategyName } from './strategies.ts';

/**
 * A question as a file: what is streamed, over which links, by which strategies, with how much time. Where a list is
 * allowed, its members make a grid with the members of all other lists.
 */

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

const NO_TRACES: TraceReader = () => malformed('no files can be read here');

/** A day of stream in one cell is more than its tables are made for. */
export const SECONDS_MAX = 86_400;

const synthetic = z.strictObject({
  fps: oneOrMany(real(1, 240, 'frames a second')).default(30),
  kbps: oneOrMany(real(10, 1_000_000, 'kilobits a second')).default(4_000),
  /** Frames from key frame to key frame. */
  keyInterval: oneOrMany(whole(1, 100_000)).default(30),
  /** How many times larger a key frame is than another. */
  keyFrameRatio: real(1, 100, 'a ratio').default(4),
  seconds: real(1, SECONDS_MAX, 'seconds'),
});

const sourceSchema = z.union([
  z.strictObject({ synthetic }),
  z.strictObject({
    /** Relative to the scenario's own folder. */
    file: z.string({ error: 'expected the path of a video file' }).min(1, 'expected the path of a video file'),
    seconds: real(0.1, SECONDS_MAX, 'seconds').optional(),
    fps: real(1, 240, 'frames a second').optional(),
  }),
]);

const linkLine = (readTrace: TraceReader) =>
  z.string({ error: 'expected a link on a line, such as "loss=2% delay=20ms"' }).superRefine((text, context) => {
    if (/(^|[\s,])seed=/.test(text)) {
      context.addIssue({
        code: 'custom',
        message: `'${text}': a link has no seed here: write them as "seeds" or "repeats"`,
      });
      return;
    }
    const link = parseLinkSpecification(text, readTrace);
    if (!link.ok) context.addIssue({ code: 'custom', message: link.malformed });
  });

const strategyName = z.enum(STRATEGIES, {
  error: (issue) => `'${String(issue.input)}': expected one of ${STRATEGIES.join(', ')}`,
});
/** Elsewhere they would change nothing but the name in the answer. */
const PARAMETERS_OF = { udp: ['redundancy', 'onLoss'], tcp: ['unsentBytesMax', 'giveUpMs'] } as const;
const strategySchema = z.union([
  strategyName,
  z
    .strictObject({
      strategy: strategyName,
      redundancy: real(0, 1, 'a share').optional(),
      unsentBytesMax: whole(1, 1_000_000_000).optional(),
      giveUpMs: real(0, 600_000, 'milliseconds').optional(),
      onLoss: z.enum(['freeze', 'smear'], { error: 'expected "freeze" or "smear"' }).optional(),
    })
    .superRefine((asked, context) => {
      const other = asked.strategy.startsWith('tcp-') ? 'udp' : 'tcp';
      for (const key of PARAMETERS_OF[other]) {
        if (asked[key] === undefined) continue;
        const message = `${asked.strategy} has no such parameter; it is one of ${other.toUpperCase()}`;
        context.addIssue({ code: 'custom', path: [key], message });
      }
    }),
]);

const scenarioSchema = (readTrace: TraceReader) =>
  z.strictObject({
    name: z
      .string({ error: 'expected a name' })
      .regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'expected a name of a-z, 0-9 and dashes, at most 64 characters'),
    question: z.string({ error: 'expected the question in a line' }).min(1).max(300, 'expected at most 300 characters'),
    source: z.union([sourceSchema, z.array(sourceSchema).min(1, 'expected at least one source')]),
    link: z.strictObject({
      forward: oneOrMany(linkLine(readTrace)),
      /** As many as forward, which are taken in pairs, or one for all; without it both ways are alike. */
      back: oneOrMany(linkLine(readTrace)).optional(),
    }),
    strategies: z
      .array(strategySchema, { error: 'expected a list of strategies' })
      .min(1, 'expected at least one strategy'),
    /** From capture to the instant by which a frame is of use, the way included. */
    budgetsMs: oneOrMany(real(1, 60_000, 'milliseconds')),
    seeds: z.array(whole(0, 0xffff_ffff)).min(1, 'expected at least one seed').optional(),
    repeats: whole(1, 100_000).optional(),
    /** How often each path is measured with strategies of the kernel, which no two runs give alike. */
    kernelRepeats: whole(1, 1_000).default(1),
    warmUpSeconds: real(0, 3_600, 'seconds').default(0),
    release: z.enum(['deadline', 'asap'], { error: 'expected "deadline" or "asap"' }).default('deadline'),
    output: z
      .strictObject({
        frames: z.boolean().default(false),
        packets: z.boolean().default(false),
        qlog: z.boolean().default(false),
        pcapng: z.boolean().default(false),
        quality: z.boolean().default(false),
        video: z.boolean().default(false),
      })
      .prefault({}),
  });

export type Scenario = z.output<ReturnType<typeof scenarioSchema>>;
export type ScenarioSource = z.output<typeof sourceSchema>;
export type ScenarioOutput = Scenario['output'];
export type { StrategyName };

/**
 * Reads a scenario.
 * @param name of the file, for messages.
 * @param readTrace gives the content of the files that links name.
 * @throws {Failure} with every mistake: its place in the file and what was expected there.
 */
export function parseScenario(text: string, name: string, readTrace: TraceReader = NO_TRACES): Scenario {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Failure(`${name} is no JSON: ${(error as Error).message}`, 2);
  }
  const result = scenarioSchema(readTrace).safeParse(value);
  if (!result.success)
    throw mistakes(
      name,
      result.error.issues.flatMap((issue) => describe(issue, value)),
    );
  const scenario = result.data;
  const found: string[] = [];
  const forward = manyOf(scenario.link.forward);
  const back = manyOf(scenario.link.back ?? forward);
  if (back.length !== 1 && back.length !== forward.length) {
    found.push(`link.back: expected one line, or as many as link.forward has: ${forward.length}, not ${back.length}`);
  }
  if (scenario.seeds && scenario.repeats) found.push('repeats: expected "seeds" or "repeats", not both');
  const shortest = Math.min(
    ...manyOf(scenario.source).map((one) =>
      'synthetic' in one ? one.synthetic.seconds : (one.seconds ?? SECONDS_MAX),
    ),
  );
  if (scenario.warmUpSeconds >= shortest) {
    found.push(`warmUpSeconds: expected less than the stream lasts, ${shortest} s`);
  }
  if (found.length > 0) throw mistakes(name, found);
  return scenario;
}

export const manyOf = <Item>(value: Item | readonly Item[]): readonly Item[] =>
  Array.isArray(value) ? value : [value as Item];

const MISTAKES_SHOWN = 5;

function mistakes(name: string, found: readonly string[]): Failure {
  const shown = [...new Set(found)];
  const more = shown.length > MISTAKES_SHOWN ? `; and ${shown.length - MISTAKES_SHOWN} more` : '';
  return new Failure(`${name}: ${shown.slice(0, MISTAKES_SHOWN).join('; ')}${more}`, 2);
}

type Issue = z.core.$ZodIssue;

/** One mistake, or those of the member of a union that came nearest to what was written. */
function describe(issue: Issue, input: unknown): string[] {
  if (issue.code === 'invalid_union') {
    const nearest = [...issue.errors].sort((one, other) => depth(other) - depth(one) || one.length - other.length)[0];
    if (nearest && nearest.length > 0) {
      return nearest.flatMap((inner) => describe({ ...inner, path: [...issue.path, ...inner.path] } as Issue, input));
    }
  }
  const place = placeOf(issue.path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => `${place === '' ? key : `${place}.${key}`}: unknown; is it misspelled?`);
  }
  const missing = issue.code === 'invalid_type' && valueAt(input, issue.path) === undefined;
  return [`${place || 'the file'}: ${missing ? 'is missing: ' : ''}${lower(issue.message)}`];
}

/** How far into the file the mistakes of a union's member reach: the member that fits best fails deepest. */
function depth(issues: readonly Issue[]): number {
  let deepest = 0;
  for (const issue of issues) {
    const inner = issue.code === 'invalid_union' ? Math.max(0, ...issue.errors.map((errors) => depth(errors))) : 0;
    // An unknown key beside known ones is nearer than a value of another kind altogether.
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
