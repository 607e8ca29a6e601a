import { z } from 'zod';
import { suggestion } from '../../protocol/base/nearest-word.ts';
import { readPointInTime } from '../../sim/link/link-values.ts';
import type { TraceReader } from '../../sim/link/loss/loss-words.ts';
import {
  linkLine,
  PARAMETER_NAMES,
  real,
  strategyParameters,
  strategyParametersOf,
  strict,
  whole,
} from '../scenario-parts.ts';
import { SIMULATED_STRATEGIES } from '../strategies.ts';
import { type FlowLoad, isTcpStrategy } from './flow-description.ts';

/** Names of the kinds of flows. */
const FLOW_STRATEGIES = [...SIMULATED_STRATEGIES, 'constant'] as const;

/** A point in time, as milliseconds. */
const timeSchema = z.string({ error: 'expected a time with its unit, such as "10s"' }).transform((text, context) => {
  const at = readPointInTime(text);
  if (at !== undefined) return at / 1_000;
  context.addIssue({ code: 'custom', message: `'${text}': expected a time with its unit, such as "10s"` });
  return z.NEVER;
});

/** Keys that only some kinds of flows have, and why another one refuses them. */
const ONLY: Readonly<Record<string, readonly FlowLoad['kind'][]>> = {
  kbps: ['constant'],
  packetBytes: ['constant'],
  transferBytes: ['download'],
  pauseSeconds: ['download'],
};

/** Schema of one flow of a scenario. */
export const flowSchema = (readTrace: TraceReader) =>
  strict({
    strategy: z.enum(FLOW_STRATEGIES, {
      error: ({ input }) => `'${String(input)}': unknown; ${suggestion(String(input), FLOW_STRATEGIES)}`,
    }),
    /** Name in tables; the strategy by default, with a number when there are several. */
    name: z
      .string({ error: 'expected a name' })
      .regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'expected a name of a-z, 0-9 and dashes, at most 32 characters')
      .optional(),
    start: timeSchema.optional(),
    stop: timeSchema.optional(),
    direction: z.enum(['forward', 'back'], { error: 'expected "forward" or "back"' }).default('forward'),
    /** Link of the flow's own between its sender and the shared link. */
    access: linkLine(readTrace).optional(),
    /** A TCP flow carries a download without end, or the frames of the source. */
    traffic: z.enum(['download', 'media'], { error: 'expected "download" or "media"' }).optional(),
    ...strategyParameters,
    kbps: real(1, 1_000_000, 'kilobits per second').optional(),
    packetBytes: whole(16, 1_472).optional(),
    transferBytes: z
      .array(whole(1, 1_000_000_000), { error: 'expected two sizes in bytes, such as [30000, 50000]' })
      .length(2, 'expected two sizes in bytes, such as [30000, 50000]')
      .optional(),
    pauseSeconds: real(0, 3_600, 'seconds').optional(),
  }).superRefine((flow, context) => {
    for (const { key, message } of flowMistakes(flow)) context.addIssue({ code: 'custom', path: [key], message });
  });

/** A flow of a scenario, as it was parsed. */
export type ScenarioFlow = z.output<ReturnType<typeof flowSchema>>;

/** Fields that determine the payload of a flow. */
type FlowTraffic = Pick<ScenarioFlow, 'strategy' | 'traffic'>;

/** Payload of a flow. */
export const kindOf = ({ strategy, traffic }: FlowTraffic): FlowLoad['kind'] => {
  if (strategy === 'constant') return 'constant';
  return isTcpStrategy(strategy) && traffic !== 'media' ? 'download' : 'media';
};

/** Returns the fault in a combination of keys, with its key. */
function flowMistakes(
  flow: Omit<ScenarioFlow, 'direction'>,
): readonly { readonly key: string; readonly message: string }[] {
  const kind = kindOf(flow);
  const found: { key: string; message: string }[] = [];
  const own = kind === 'media' ? strategyParametersOf(flow.strategy) : [];
  for (const key of PARAMETER_NAMES) {
    const isOwn = own.includes(key);
    if (flow[key] !== undefined && !isOwn)
      found.push({ key, message: `not a parameter of this ${flow.strategy} flow` });
  }
  for (const [key, kinds] of Object.entries(ONLY)) {
    if ((flow as Readonly<Record<string, unknown>>)[key] === undefined || kinds.includes(kind)) continue;
    found.push({ key, message: `not a parameter of ${flow.strategy}, but of a ${kinds[0]} flow` });
  }
  if (flow.traffic !== undefined && !isTcpStrategy(flow.strategy)) {
    found.push({ key: 'traffic', message: `not a parameter of ${flow.strategy}, but of TCP strategies` });
  }
  if (kind === 'constant' && flow.kbps === undefined)
    found.push({ key: 'kbps', message: 'is missing: expected a rate' });
  if (flow.pauseSeconds !== undefined && flow.transferBytes === undefined) {
    found.push({ key: 'pauseSeconds', message: 'requires transferBytes' });
  }
  const { transferBytes } = flow;
  if (transferBytes && transferBytes[0]! > transferBytes[1]!) {
    found.push({ key: 'transferBytes', message: 'expected the smaller size first' });
  }
  if (flow.stop !== undefined && flow.stop <= (flow.start ?? 0)) {
    found.push({ key: 'stop', message: 'expected a time after start' });
  }
  return found;
}
