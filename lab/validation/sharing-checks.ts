import { instant, milliseconds, seconds } from '../../protocol/base/units.ts';
import { linkOf } from '../cell.ts';
import type { FlowDescription, TcpStrategyName } from '../flows/flow-description.ts';
import type { FlowFigures } from '../flows/flow-tables.ts';
import { runShared } from '../flows/shared-run.ts';
import { START } from '../media-run.ts';
import { type Agreement, AT_MOST, type Check, check } from './check.ts';
import { exactly } from './estimate.ts';

/** Modelled TCP flows on a link that they share: known results about fairness and queueing. */

const RATE = 'rate=10mbit';
const ROUND_TRIP = 'delay=20ms';
const SECONDS = 40;
/** A scheduler shares alike from the start; the quick checks have time for this. */
const SHORT_SECONDS = 8;
/** Too expensive for a quick run. */
const COST_OF_SECOND = 240_000;

interface Shared {
  readonly queue: string;
  readonly flows: readonly { readonly strategy: TcpStrategyName }[];
}

/** Figures of greedy flows after the first ten seconds. */
function figures({ queue, flows }: Shared, seed: number, duration: number): readonly FlowFigures[] {
  const descriptions = flows.map(
    ({ strategy }, index): FlowDescription => ({
      name: `${strategy}-${index}`,
      load: { kind: 'download', strategy },
      // Not at the same time, so that slow starts do not coincide.
      startMs: 100 * index,
      direction: 'forward',
    }),
  );
  const result = runShared({
    forward: linkOf(`${RATE} ${ROUND_TRIP} ${queue} seed=${seed}`, new Map()),
    back: linkOf(`${ROUND_TRIP} seed=${seed}`, new Map()),
    flows: descriptions,
    files: new Map(),
    traces: new Map(),
    endsAt: instant(START + seconds(duration)),
    warmUpSeconds: Math.min(10, duration / 3),
    budget: milliseconds(300),
    release: 'deadline',
    seed,
  });
  return result.flows.map((flow) => flow.figures);
}

const times = (count: number, strategy: TcpStrategyName) => Array.from({ length: count }, () => ({ strategy }));
const sum = (those: readonly FlowFigures[], pick: (each: FlowFigures) => number | null): number =>
  those.reduce((total, each) => total + (pick(each) ?? 0), 0);
const shareOf = (those: readonly FlowFigures[], strategy: TcpStrategyName): number =>
  sum(
    those.filter(({ flow }) => flow.startsWith(strategy)),
    ({ flowRate }) => flowRate,
  ) / sum(those, ({ flowRate }) => flowRate);

function sharing(
  name: string,
  parameters: Check['parameters'],
  rest: { readonly predicted: number; readonly agreement: Agreement; readonly trials?: number },
  shared: Shared,
  figure: (those: readonly FlowFigures[]) => number,
): Check {
  return check('sharing', name, parameters, {
    trials: SECONDS,
    ...rest,
    trialCost: COST_OF_SECOND * shared.flows.length,
    simulate: (seed, duration) => exactly(figure(figures(shared, seed, duration))),
  });
}

/** "At least" as a check: the negative is at most the negative. */
const atLeast = (predicted: number) => ({ predicted: -predicted, agreement: AT_MOST });
const atMost = (predicted: number) => ({ predicted, agreement: AT_MOST });

/** Flows of one kind and one round trip share about equally over a minute; round-robin service does so exactly. */
const alike = [2, 4].flatMap((count) =>
  (['tcp-reno', 'tcp-cubic'] as const).map((strategy) =>
    sharing(
      'jain_alike',
      { strategy, flows: count, queue: '1 BDP' },
      atLeast(0.85),
      { queue: 'queue=40ms', flows: times(count, strategy) },
      (those) => -those[0]!.jain!,
    ),
  ),
);
const roundRobin = sharing(
  'jain_fq_codel',
  { flows: 'reno cubic bbr' },
  { ...atLeast(0.97), trials: SHORT_SECONDS },
  {
    queue: 'queue=1s qdisc=fq-codel',
    flows: [...times(1, 'tcp-reno'), ...times(1, 'tcp-cubic'), ...times(1, 'tcp-bbr')],
  },
  (those) => -those[0]!.jain!,
);

/**
 * BBR (version 1) against CUBIC: it takes most of a shallow buffer, because it does not respond to loss, and its
 * inflight cap holds it below half in a deep one (M. Hock et al., ICNP 2017; R. Ware et al., IMC 2019).
 */
const versus = [
  { queue: 'queue=16ms', buffer: '0.4 BDP', rest: atLeast(0.6), sign: -1 },
  { queue: 'queue=640ms', buffer: '16 BDP', rest: atMost(0.5), sign: 1 },
].map(({ queue, buffer, rest, sign }) =>
  sharing(
    'bbr_share_beside_cubic',
    { buffer },
    rest,
    { queue, flows: [...times(1, 'tcp-bbr'), ...times(1, 'tcp-cubic')] },
    (those) => sign * shareOf(those, 'tcp-bbr'),
  ),
);

/** The disciplines keep the delay at their target, and the line busy (RFC 8289 §3.1, RFC 9332 §2.5). */
const MANAGED = [
  { qdisc: 'codel', flows: 1, targetMs: 5, share: 0.9 },
  { qdisc: 'codel', flows: 4, targetMs: 5, share: 0.9 },
  { qdisc: 'fq-codel', flows: 4, targetMs: 5, share: 0.9 },
  { qdisc: 'dualpi2', flows: 4, targetMs: 15, share: 0.9 },
] as const;
const managed = MANAGED.flatMap(({ qdisc, flows, targetMs, share }) => {
  const shared: Shared = { queue: `queue=1s qdisc=${qdisc}`, flows: times(flows, 'tcp-cubic') };
  const parameters = { qdisc, cubic: flows };
  return [
    // The disciplines hold the least delay of an interval, or a filtered one, to the target; the saw tooth is above it.
    sharing('queue_delay_ms', parameters, atMost(2 * targetMs), shared, (those) => {
      return sum(those, ({ queueUsMean }) => queueUsMean) / flows / 1_000;
    }),
    sharing(
      'utilization',
      parameters,
      atLeast(share),
      shared,
      (those) => -sum(those, ({ capacityShare }) => capacityShare),
    ),
  ];
});
const tailDrop = sharing(
  'queue_delay_ms_tail_drop',
  { queue_ms: 200, cubic: 4 },
  atLeast(100),
  { queue: 'queue=200ms', flows: times(4, 'tcp-cubic') },
  (those) => -sum(those, ({ queueUsMean }) => queueUsMean) / 4_000,
);

export const SHARING_CHECKS: readonly Check[] = [...alike, roundRobin, ...versus, ...managed, tailDrop];
