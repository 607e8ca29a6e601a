import { type Instant, instant, milliseconds, seconds } from '../../protocol/base/units.ts';
import { ECT_0, ECT_1, type Ecn, NOT_ECT } from '../../protocol/ecn.ts';
import type { LinkOutcome } from '../../sim/link/datagram-fate.ts';
import { Link } from '../../sim/link/link.ts';
import { linkOf } from '../cell.ts';
import { AT_MOST, type Check, check, EQUAL } from './check.ts';
import { exactly } from './estimate.ts';

/** Queue disciplines against the figures and invariants of their RFCs, with datagrams at known times. */

/** 972 bytes of payload and 28 of headers: 1 ms at 8 Mb/s. */
const PAYLOAD = new Uint8Array(972);
const LINE = 'rate=8mbit queue=60s';
const COST_OF_SECOND = 20_000;

/** Datagrams of one flow: one each interval, from its start. */
interface Arrivals {
  readonly everyUs: number;
  readonly payload?: Uint8Array;
  readonly ecn?: Ecn;
  readonly fromUs?: number;
  readonly untilUs?: number;
}

/** Sends flows into a link, and returns what became of each datagram. */
function outcomes(words: string, flows: readonly Arrivals[], duration: number): LinkOutcome[] {
  const path = new Link(linkOf(`${words} seed=1`, new Map()), 'forward', { reports: 'all' });
  const next = flows.map(({ fromUs = 0 }) => fromUs);
  const seen: LinkOutcome[] = [];
  const take = (now: Instant) => {
    while (path.pollDelivery(now));
    for (let outcome = path.pollOutcome(); outcome; outcome = path.pollOutcome()) seen.push(outcome);
  };
  for (;;) {
    const at = Math.min(...next);
    if (at >= duration) break;
    const flow = next.indexOf(at);
    const { everyUs, payload = PAYLOAD, ecn = NOT_ECT, untilUs = Number.POSITIVE_INFINITY } = flows[flow]!;
    take(instant(at));
    path.send(instant(at), payload, { flow, ecn });
    next[flow] = at + everyUs < untilUs ? at + everyUs : Number.POSITIVE_INFINITY;
  }
  take(instant(duration));
  return seen;
}

const isDropped = ({ fate }: LinkOutcome): boolean => fate === 'overflowed';
const bytesOf = (seen: readonly LinkOutcome[], flow: number): number =>
  seen.reduce((sum, each) => sum + (each.flow === flow && !isDropped(each) ? each.bytes : 0), 0);

const queueCheck = (
  name: string,
  parameters: Check['parameters'],
  rest: Pick<Check, 'predicted' | 'agreement'>,
  simulate: () => number,
): Check =>
  check('queues', name, parameters, {
    ...rest,
    trials: 10,
    trialCost: COST_OF_SECOND,
    simulate: () => exactly(simulate()),
  });

/** One datagram each 0.8 ms: the delay grows by 0.2 ms with each. */
const overload: Arrivals = { everyUs: 800 };
const dropTimes = (words: string, duration: number): number[] =>
  outcomes(words, [overload], duration)
    .filter(isDropped)
    .map(({ at }) => at / 1_000);

/** The line chooses a datagram each millisecond. */
const LINE_MS = 1;

const codel: readonly Check[] = [
  // RFC 8289 §4.2: the delay reaches the target after 20 ms, at the first choice from then on.
  queueCheck('codel_first_drop_ms', { target_ms: 5, interval_ms: 100 }, within(125, 2 * LINE_MS), () => {
    return dropTimes(`${LINE} qdisc=codel`, seconds(1))[0]!;
  }),
  // RFC 8289 §3.2: intervals of interval/√count.
  ...[4, 16, 64].map((count) => {
    let predicted = 0;
    for (let k = 1; k < count; k++) predicted += 100 / Math.sqrt(k);
    return queueCheck('codel_control_law_ms', { count }, within(predicted, 2 * LINE_MS), () => {
      const drops = dropTimes(`${LINE} qdisc=codel`, seconds(4));
      return drops[count - 1]! - drops[0]!;
    });
  }),
  queueCheck('codel_drops_below_target', { delay_ms: 3 }, { predicted: 0, agreement: EQUAL }, () => {
    // Four at once each 4 ms: the last one waits 3 ms.
    const flows = [0, 1, 2, 3].map((): Arrivals => ({ everyUs: 4_000 }));
    return outcomes(`${LINE} qdisc=codel`, flows, seconds(10)).filter(isDropped).length;
  }),
  queueCheck('codel_drops_of_capable', { ecn: 'ECT(0)' }, { predicted: 0, agreement: EQUAL }, () => {
    return outcomes(`${LINE} qdisc=codel`, [{ ...overload, ecn: ECT_0 }], seconds(4)).filter(isDropped).length;
  }),
];

/** Three flows that ask for more than their share, with different packets. */
const GREEDY: readonly Arrivals[] = [
  { everyUs: 600, payload: new Uint8Array(1_200) },
  { everyUs: 2_400, payload: new Uint8Array(1_200) },
  { everyUs: 350, payload: new Uint8Array(300) },
];
const SPARSE: Arrivals = { everyUs: 20_000, payload: new Uint8Array(172), fromUs: 317 };

const fqCodel: readonly Check[] = [
  // RFC 8290 §4.2: deficit round robin gives equal bytes, whatever the size and the number of the packets.
  ...GREEDY.map((_, flow) =>
    queueCheck('fq_codel_share', { flow, of: GREEDY.length }, within(1 / 3, 0.005), () => {
      const seen = outcomes('rate=8mbit queue=200ms qdisc=fq-codel', GREEDY, seconds(10));
      const all = GREEDY.reduce((sum, _each, other) => sum + bytesOf(seen, other), 0);
      return bytesOf(seen, flow) / all;
    }),
  ),
  // RFC 8290 §3.2 and §4.2: a flow that has just become active waits for the datagram in transmission only.
  queueCheck('fq_codel_sparse_wait_ms', { beside: GREEDY.length }, { predicted: 1.228, agreement: AT_MOST }, () => {
    const seen = outcomes('rate=8mbit queue=200ms qdisc=fq-codel', [SPARSE, ...GREEDY], seconds(10));
    // At the start all flows are new.
    const those = seen.filter(({ flow, at }) => flow === 0 && at >= seconds(1));
    return Math.max(...those.map(({ waited }) => waited)) / 1_000;
  }),
  queueCheck('fq_codel_sparse_dropped', { beside: GREEDY.length }, { predicted: 0, agreement: EQUAL }, () => {
    const seen = outcomes('rate=8mbit queue=40p qdisc=fq-codel', [SPARSE, ...GREEDY], seconds(10));
    return seen.filter((outcome) => outcome.flow === 0 && isDropped(outcome)).length;
  }),
  // RFC 8290 §5.2.4: two flows of the same packets alternate in steps of the quantum.
  ...[1_514, 3_684].map((quantum) =>
    queueCheck('fq_codel_run', { quantum }, { predicted: Math.ceil(quantum / 1_228), agreement: EQUAL }, () => {
      const flows = [0, 1].map((): Arrivals => ({ everyUs: 1_000, payload: new Uint8Array(1_200) }));
      const seen = outcomes(`rate=8mbit queue=1s qdisc=fq-codel(quantum=${quantum}b interval=60s)`, flows, seconds(1));
      const order = seen.filter((outcome) => !isDropped(outcome)).map(({ flow }) => flow);
      return longestRun(order.slice(order.length >> 1));
    }),
  ),
];

/** DualPI2 with known arrivals: p' follows from the classic queue, so its two outputs must agree with each other. */
const dualPi2: readonly Check[] = [
  // RFC 9332 §2.1: p_C = (p_CL / k)².
  ...[1, 2, 4].map((coupling) =>
    queueCheck(
      'dualpi2_coupling',
      { k: coupling },
      { predicted: coupling, agreement: { kind: 'within', share: 0.1 } },
      () => {
        // A burst leaves a classic queue of 18 ms, which the rest keeps: p' rises slowly. L4S datagrams are sparse.
        const flows: readonly Arrivals[] = [
          { everyUs: 1_000 / 0.96, ecn: ECT_0 },
          { everyUs: 5_000, ecn: ECT_1, payload: new Uint8Array(172), fromUs: 100 },
          { everyUs: 10, ecn: ECT_0, untilUs: 180 },
        ];
        const words = `rate=8mbit queue=10s qdisc=dualpi2(coupling=${coupling})`;
        const seen = outcomes(words, flows, seconds(5)).filter(({ at }) => at >= seconds(2));
        const marked = (flow: number): number => {
          const those = seen.filter((outcome) => outcome.flow === flow && !isDropped(outcome));
          return those.filter(({ ecn }) => ecn === 3).length / those.length;
        };
        return marked(1) / Math.sqrt(marked(0));
      },
    ),
  ),
  // RFC 9332 appendix A.1: the threshold of the L4S queue marks what waited longer than 1.2 ms, and nothing below 0.8 ms.
  queueCheck('dualpi2_unmarked_wait_ms', { step_ms: 1 }, { predicted: 1.2, agreement: AT_MOST }, () => {
    const seen = l4sBursts();
    return Math.max(...seen.filter(({ ecn }) => ecn === ECT_1).map(({ waited }) => waited)) / 1_000;
  }),
  queueCheck('dualpi2_marked_wait_ms', { step_ms: 1 }, { predicted: -0.8, agreement: AT_MOST }, () => {
    return (
      -Math.min(
        ...l4sBursts()
          .filter(({ ecn }) => ecn !== ECT_1)
          .map(({ waited }) => waited),
      ) / 1_000
    );
  }),
  // RFC 9332 §4.2.2: classic traffic keeps its weight during an L4S overload; with a target never reached, nothing is
  // dropped early.
  queueCheck('dualpi2_classic_share', { weight: 0.1 }, within(0.1, 0.01), () => {
    const flows = [ECT_0, ECT_1].map((ecn): Arrivals => ({ everyUs: 800, ecn }));
    const seen = outcomes('rate=8mbit queue=60s qdisc=dualpi2(target=60s)', flows, seconds(10));
    return bytesOf(seen, 0) / (bytesOf(seen, 0) + bytesOf(seen, 1));
  }),
];

/** Bursts of L4S datagrams on an otherwise idle line: the last one of each leaves a queue without others behind it. */
function l4sBursts(): LinkOutcome[] {
  const flows = Array.from(
    { length: 25 },
    (): Arrivals => ({ everyUs: 10_000, ecn: ECT_1, payload: new Uint8Array(72) }),
  );
  return outcomes('rate=8mbit queue=1s qdisc=dualpi2', flows, milliseconds(500)).filter(({ flow }) => flow < 24);
}

function within(predicted: number, absolute: number): Pick<Check, 'predicted' | 'agreement'> {
  return { predicted, agreement: { kind: 'within', share: absolute / predicted } };
}

function longestRun(order: readonly number[]): number {
  let [longest, run] = [0, 0];
  for (const [index, flow] of order.entries()) {
    run = index > 0 && order[index - 1] === flow ? run + 1 : 1;
    longest = Math.max(longest, run);
  }
  return longest;
}

export const QUEUE_CHECKS: readonly Check[] = [...codel, ...fqCodel, ...dualPi2];
