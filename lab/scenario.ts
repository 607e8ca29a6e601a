import { z } from 'zod';
import { Failure } from '../io/os/failure.ts';
import { suggestion } from '../protocol/base/nearest-word.ts';
import { malformed } from '../protocol/base/parsed.ts';
import type { TraceReader } from '../sim/link/loss/loss-words.ts';
import { flowSchema } from './flows/flow-schema.ts';
import { HOST_NAMES } from './machine.ts';
import {
  linkLine,
  oneOrMany,
  ownersOf,
  PARAMETER_NAMES,
  real,
  strategyParameters,
  strategyParametersOf,
  strict,
  syntheticSound,
  whole,
} from './scenario-parts.ts';
import { isKernelStrategy, isPathStrategy, isSchemeStrategy, STRATEGIES, type StrategyName } from './strategies.ts';

/** Schema of a scenario: sources, links, strategies and budgets. Lists form the Cartesian product of their members. */

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
  sound: oneOrMany(syntheticSound).optional(),
  seconds: real(1, SECONDS_MAX, 'seconds'),
});

/** A synthetic encoder that follows the target of the strategy's rate controller. */
const adaptive = strict({
  fps: real(1, 240, 'frames per second').default(30),
  kbpsMin: real(10, 1_000_000, 'kilobits per second').default(100),
  kbpsMax: real(10, 1_000_000, 'kilobits per second').default(4_000),
  /** Encodes at fixed bit rates, changed at key frames every half second; default: one encoder that follows frame by frame. */
  renditions: whole(2, 8).optional(),
  sound: oneOrMany(syntheticSound).optional(),
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
    /** True: with the sound of the file. */
    sound: z.boolean({ error: 'expected true or false' }).default(false),
  }),
]);

const strategyName = z.enum(STRATEGIES, {
  error: ({ input }) => `'${String(input)}': unknown; ${suggestion(String(input), STRATEGIES)}`,
});
const strategySchema = z.union([
  strategyName,
  strict({
    strategy: strategyName,
    ...strategyParameters,
  }).superRefine((asked, context) => {
    const own = strategyParametersOf(asked.strategy);
    for (const key of PARAMETER_NAMES) {
      if (asked[key] === undefined || own.includes(key)) continue;
      const message = `not a parameter of ${asked.strategy}, but of ${ownersOf(key)}`;
      context.addIssue({ code: 'custom', path: [key], message });
    }
    if (asked.encrypted && asked.strategy.startsWith('udp-kernel-')) {
      const message = 'a parameter of simulated strategies only';
      context.addIssue({ code: 'custom', path: ['encrypted'], message });
    }
  }),
]);

/** One list of flows, or several lists. */
const flowsSchema = (readTrace: TraceReader) => {
  const list = z
    .array(flowSchema(readTrace), { error: 'expected a list of flows' })
    .min(1, 'expected at least one flow');
  return z.union([list, z.array(list).min(1, 'expected at least one list of flows')]);
};

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
      /** A second path in parallel. Each of its lines is one for all forward links, or there are as many as forward links. */
      second: strict({
        forward: oneOrMany(linkLine(readTrace)),
        back: oneOrMany(linkLine(readTrace)).optional(),
      }).optional(),
    }),
    strategies: z
      .array(strategySchema, { error: 'expected a list of strategies' })
      .min(1, 'expected at least one strategy')
      .optional(),
    /** Flows that share the link, or a list of such lists; with each strategy in turn when both are given. */
    flows: flowsSchema(readTrace).optional(),
    /** Time from capture until a frame is useless, including the transit. */
    budgetsMs: oneOrMany(real(1, 60_000, 'milliseconds')),
    seeds: z.array(whole(0, 0xffff_ffff)).min(1, 'expected at least one seed').optional(),
    repeats: whole(1, 100_000).optional(),
    /** Number of kernel measurements per path, which are not reproducible. */
    kernelRepeats: whole(1, 1_000).default(1),
    warmUpSeconds: real(0, 3_600, 'seconds').default(0),
    release: z.enum(['deadline', 'asap'], { error: 'expected "deadline" or "asap"' }).default('deadline'),
    /** Profile of the end hosts of simulated cells. */
    host: z
      .enum(HOST_NAMES, {
        error: ({ input }) => `'${String(input)}': unknown; ${suggestion(String(input), HOST_NAMES)}`,
      })
      .default('ideal'),
    output: strict({
      frames: z.boolean().default(false),
      packets: z.boolean().default(false),
      qlog: z.boolean().default(false),
      pcapng: z.boolean().default(false),
      quality: z.boolean().default(false),
      video: z.boolean().default(false),
    }).prefault({}),
  });

/** A scenario as it was parsed; `strategies` is empty when there are flows alone. */
export type Scenario = Omit<z.output<ReturnType<typeof scenarioSchema>>, 'strategies'> & {
  readonly strategies: readonly z.output<typeof strategySchema>[];
};
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
  const scenario: Scenario = { ...result.data, strategies: result.data.strategies ?? [] };
  const found: string[] = [];
  found.push(...linkConflicts(scenario.link), ...pathConflicts(scenario));
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
  found.push(...flowConflicts(scenario), ...soundConflicts(scenario));
  if (found.length > 0) throw mistakes(name, found);
  return scenario;
}

/** Returns the lists of links that do not match that of the forward links. */
function linkConflicts({ forward, back = forward, second }: Scenario['link']): string[] {
  const count = manyOf(forward).length;
  const lists = [
    ['link.back', back],
    ...(second
      ? [
          ['link.second.forward', second.forward],
          ['link.second.back', second.back ?? second.forward],
        ]
      : []),
  ] as const;
  return lists.flatMap(([place, lines]) => {
    const { length } = manyOf(lines!);
    if (length === 1 || length === count) return [];
    return [`${place}: expected one line, or ${count} as in link.forward; found ${length}`];
  });
}

/** Returns the options that cannot be combined with strategies over two paths, or with a second path. */
function pathConflicts({ link, strategies, flows }: Scenario): string[] {
  const names = strategies.map((entry) => (typeof entry === 'string' ? entry : entry.strategy));
  if (link.second && flows) return ['link.second: flows share one path; leave out "flows" or "second"'];
  return names.flatMap((name, index) => {
    if (isPathStrategy(name) && !link.second)
      return [`strategies[${index}]: ${name} runs over two paths; give the other one as link.second`];
    if (isKernelStrategy(name) && link.second)
      return [`strategies[${index}]: ${name} is measured over one path; leave out link.second`];
    return [];
  });
}

/** Returns the options that cannot be combined with flows. */
function flowConflicts({ strategies, flows, output }: Scenario): string[] {
  if (!flows) return strategies.length > 0 ? [] : ['strategies: is missing: expected a list of strategies'];
  const found: string[] = [];
  for (const [index, entry] of strategies.entries()) {
    const name = typeof entry === 'string' ? entry : entry.strategy;
    if (isKernelStrategy(name))
      found.push(`strategies[${index}]: ${name} runs in real time, where a link has no flows`);
  }
  for (const [key, asked] of Object.entries(output)) {
    if (asked) found.push(`output.${key}: a cell with flows has summary.csv and flows.csv only`);
  }
  return found;
}

/** Returns the parts that sound cannot be combined with. */
function soundConflicts({ source, strategies, flows }: Scenario): string[] {
  const isAsked = manyOf(source).some((one) => {
    if ('file' in one) return one.sound;
    return ('adaptive' in one ? one.adaptive.sound : one.synthetic.sound) !== undefined;
  });
  if (!isAsked) return [];
  const names = strategies.map((entry) => (typeof entry === 'string' ? entry : entry.strategy));
  const measured = names.find((name) => isKernelStrategy(name));
  const scheme = names.find((name) => isSchemeStrategy(name) || isPathStrategy(name));
  return [
    ...(flows ? ['source.sound: flows carry pictures only; leave out "flows" or "sound"'] : []),
    ...(measured ? [`source.sound: ${measured} carries pictures only; simulated strategies carry sound`] : []),
    ...(scheme ? [`source.sound: ${scheme} protects pictures only; leave out "sound"`] : []),
  ];
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
