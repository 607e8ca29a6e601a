import { z } from 'zod';
import { suggestion } from '../protocol/base/nearest-word.ts';
import { RATE_CONTROLS } from '../sender/rate/rate-control.ts';
import { parseLinkSpecification } from '../sim/link/link-parse.ts';
import type { TraceReader } from '../sim/link/loss/loss-words.ts';
import { SYNTHETIC_SOUNDS } from '../sim/synthetic-sound-names.ts';
import {
  isPathStrategy,
  isSchemeStrategy,
  PATH_STRATEGIES,
  type PathStrategyName,
  SCHEME_STRATEGIES,
  type SchemeStrategyName,
} from './strategies.ts';

/** Parts of a scenario's schema that several of its objects have. */

export const oneOrMany = <Item extends z.ZodType>(item: Item) => z.union([item, z.array(item).min(1)]);
export const whole = (min: number, max: number) =>
  z
    .number({ error: `expected a whole number from ${min} to ${max}` })
    .int(`expected a whole number from ${min} to ${max}`)
    .min(min, `expected a whole number from ${min} to ${max}`)
    .max(max, `expected a whole number from ${min} to ${max}`);
export const real = (min: number, max: number, what: string) =>
  z
    .number({ error: `expected ${what} from ${min} to ${max}` })
    .min(min, `expected ${what} from ${min} to ${max}`)
    .max(max, `expected ${what} from ${min} to ${max}`);

/** An object whose unknown keys are answered with the known one that is alike, a line each, in the order of the keys. */
export const strict = <Shape extends z.core.$ZodShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => `unknown; ${suggestion(key, Object.keys(shape))}`).join('\n')
        : undefined,
  });

export const linkLine = (readTrace: TraceReader) =>
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

/** Rates of synthetic sound where none is given, kilobits per second: usual for stereo. */
const SOUND_KBPS = { opus: 96, aac: 128 } as const;

const soundCodec = z.enum(SYNTHETIC_SOUNDS, {
  error: ({ input }) => `'${String(input)}': unknown; ${suggestion(String(input), SYNTHETIC_SOUNDS)}`,
});
const codecAndRate = strict({ codec: soundCodec, kbps: real(6, 510, 'kilobits per second').optional() });

/** Synthetic sound beside the pictures: a codec, or a codec with its bit rate. */
export const syntheticSound = z
  .union([soundCodec.transform((codec) => ({ codec })), codecAndRate])
  .transform(({ codec, ...rate }) => ({ codec, kbps: ('kbps' in rate ? rate.kbps : undefined) ?? SOUND_KBPS[codec] }));

const rateControl = z.enum(RATE_CONTROLS, {
  error: ({ input }) => `'${String(input)}': unknown; ${suggestion(String(input), RATE_CONTROLS)}`,
});
/** Parameters of the strategies, of both transports. */
export const strategyParameters = {
  redundancy: real(0, 1, 'a fraction').optional(),
  unsentBytesMax: whole(1, 1_000_000_000).optional(),
  giveUpMs: real(0, 600_000, 'milliseconds').optional(),
  onLoss: z.enum(['freeze', 'smear'], { error: 'expected "freeze" or "smear"' }).optional(),
  encrypted: z.boolean().optional(),
  rate: rateControl.optional(),
  copyDelayMs: real(0, 10_000, 'milliseconds').optional(),
  blockFrames: whole(1, 128).optional(),
  columns: whole(1, 30).optional(),
  rows: whole(1, 30).optional(),
  repairWeight: real(1e-9, 10, 'a weight').optional(),
  delayFrames: whole(1, 16).optional(),
  firstShare: real(0.05, 0.95, 'a share').optional(),
  pathRepair: real(0, 1, 'a share').optional(),
  parity: z.enum(['rows', 'columns', 'both'], { error: 'expected "rows", "columns" or "both"' }).optional(),
};

/** Name of a parameter of a strategy. */
export type StrategyParameterName = keyof typeof strategyParameters;

const UDP_PARAMETERS = ['redundancy', 'onLoss', 'encrypted', 'rate'] as const;
const TCP_PARAMETERS = ['unsentBytesMax', 'giveUpMs'] as const;
const UDP_WITHOUT_RECOVERY = ['onLoss', 'encrypted', 'rate'] as const;
const SCHEME_PARAMETERS: Readonly<Record<SchemeStrategyName, readonly StrategyParameterName[]>> = {
  duplicate: [...UDP_WITHOUT_RECOVERY, 'copyDelayMs'],
  'rs-block': [...UDP_WITHOUT_RECOVERY, 'redundancy', 'blockFrames'],
  flexfec: [...UDP_WITHOUT_RECOVERY, 'columns', 'rows', 'parity'],
  hairpin: [...UDP_WITHOUT_RECOVERY, 'repairWeight'],
  tambur: [...UDP_WITHOUT_RECOVERY, 'redundancy', 'delayFrames'],
};

const PATH_PARAMETERS: Readonly<Record<PathStrategyName, readonly StrategyParameterName[]>> = {
  'paths-duplicate': UDP_PARAMETERS,
  'paths-split': [...UDP_PARAMETERS, 'firstShare'],
  'paths-coded': [...UDP_PARAMETERS, 'firstShare', 'pathRepair'],
};

/** Parameters of a strategy. Others would change nothing but the cell's name. */
export const strategyParametersOf = (strategy: string): readonly StrategyParameterName[] => {
  if (isSchemeStrategy(strategy)) return SCHEME_PARAMETERS[strategy];
  if (isPathStrategy(strategy)) return PATH_PARAMETERS[strategy];
  return strategy.startsWith('tcp-') ? TCP_PARAMETERS : UDP_PARAMETERS;
};

/** Returns the strategies that have a parameter, for messages. */
export const ownersOf = (parameter: StrategyParameterName): string => {
  if ((UDP_PARAMETERS as readonly string[]).includes(parameter)) return 'UDP strategies';
  if ((TCP_PARAMETERS as readonly string[]).includes(parameter)) return 'TCP strategies';
  return [
    ...SCHEME_STRATEGIES.filter((strategy) => SCHEME_PARAMETERS[strategy].includes(parameter)),
    ...PATH_STRATEGIES.filter((strategy) => PATH_PARAMETERS[strategy].includes(parameter)),
  ].join(' and ');
};

export const PARAMETER_NAMES = Object.keys(strategyParameters) as readonly StrategyParameterName[];
