import { type Agreement, type Check, check, EQUAL, type Simulate } from './check.ts';
import { cubic, mathis, pftk } from './closed-forms/tcp-throughput.ts';
import { exactly } from './estimate.ts';
import { goodput, goodputAtPeriodicLoss } from './greedy-source.ts';
import { arrivalMs, SEGMENT_BYTES } from './tcp-simulations.ts';

/** The modelled TCP against the cost of losses, and against throughput formulas. */

/** Tolerance of throughput formulas, which approximate Linux' Reno with SACK and RACK (loss-lab.md §8, docs/TCP.md). */
const MODEL: Agreement = { kind: 'within', share: 0.15 };
/** Tolerance of stalls: timers of whole milliseconds, and transmission times. */
const TIMERS: Agreement = { kind: 'within', share: 0.02 };

/** Cost of a simulated second, in random draws. */
const COST_OF_SECOND = 100_000;

const path = (roundTrip: number, loss: number) =>
  [`loss=${loss * 100}% delay=${roundTrip * 500}ms`, `delay=${roundTrip * 500}ms`] as const;

const megabits = (bits: number): number => bits / 1e6;

/** A trial is a second. */
function rate(
  name: string,
  parameters: Check['parameters'],
  { predicted, seconds, simulate }: { predicted: number; seconds: number; simulate: Simulate },
): Check {
  return check('tcp', name, parameters, {
    predicted: megabits(predicted),
    agreement: MODEL,
    trials: seconds,
    trialCost: COST_OF_SECOND,
    simulate,
  });
}

const RENO = [
  { roundTrip: 0.02, loss: 0.01, seconds: 60 },
  { roundTrip: 0.05, loss: 0.002, seconds: 120 },
  { roundTrip: 0.05, loss: 0.01, seconds: 200 },
  { roundTrip: 0.1, loss: 0.01, seconds: 400 },
  { roundTrip: 0.1, loss: 0.02, seconds: 400 },
];

/** Below this PFTK, which models neither SACK nor RACK, is too low because its timeouts are long. */
const PFTK_ROUND_TRIP_MIN = 0.05;

const reno = RENO.flatMap(({ roundTrip, loss, seconds }) => {
  const tcp = { segmentBytes: SEGMENT_BYTES, roundTrip, loss };
  const simulate: Simulate = (seed, duration) =>
    exactly(megabits(goodput('reno', ...path(roundTrip, loss), duration, seed)));
  const parameters = { R: roundTrip, p: loss };
  return [
    rate('reno_mathis_mbps', parameters, { predicted: mathis(tcp), seconds, simulate }),
    // Linux counts acknowledged segments: b = 1.
    ...(roundTrip < PFTK_ROUND_TRIP_MIN
      ? []
      : [rate('reno_pftk_mbps', parameters, { predicted: pftk(tcp, 1), seconds, simulate })]),
  ];
});

const cubicWindows = [
  { roundTrip: 0.3, each: 8_000 },
  { roundTrip: 0.4, each: 4_000 },
].map(({ roundTrip, each }) =>
  rate(
    'cubic_window_mbps',
    { R: roundTrip, one_in: each },
    {
      predicted: cubic({ segmentBytes: SEGMENT_BYTES, roundTrip, loss: 1 / each }),
      seconds: 120,
      simulate: (_, seconds) =>
        exactly(megabits(goodputAtPeriodicLoss('cubic', `delay=${roundTrip * 500}ms`, each, seconds))),
    },
  ),
);

const ROUND_TRIP_MS = 50;
/** Minimum retransmission timeout of Linux (TCP_RTO_MIN). */
const TIMEOUT_MS = ROUND_TRIP_MS + 200;
const WAY = `delay=${ROUND_TRIP_MS / 2}ms`;
const FLIGHT = 10;
/** TCP header of 20 bytes with 12 bytes of timestamps, and the link's header bytes. */
const HEADER_BYTES = 20 + 12 + 28;
const RATE_MBIT = 12;
const SPACING_MS = ((SEGMENT_BYTES + HEADER_BYTES) * 8) / (RATE_MBIT * 1_000);
const PROBE_SLACK_MS = 2;

/** Delay of the last byte of a write relative to a run without loss. */
function delayed(
  name: string,
  {
    drop,
    predicted,
    agreement,
    segments = FLIGHT,
    forward = WAY,
  }: {
    /** Lost segments, numbered from 0 in order of transmission. */
    readonly drop: readonly number[];
    readonly predicted: number;
    readonly agreement: Agreement;
    readonly segments?: number;
    readonly forward?: string;
  },
): Check {
  const bytes = segments * SEGMENT_BYTES;
  const write = { bytes, byte: bytes - 1 };
  const dropped = drop.map((segment) => segment + 3).join('/');
  return check(
    'tcp',
    name,
    { R_ms: ROUND_TRIP_MS, segments, lost: drop.join('/') },
    {
      predicted,
      agreement,
      trials: 1,
      simulate: () => exactly(arrivalMs(write, `drop=${dropped} ${forward}`, WAY) - arrivalMs(write, forward, WAY)),
    },
  );
}

const stalls = [
  delayed('stall_single_ms', { drop: [3], predicted: ROUND_TRIP_MS, agreement: EQUAL }),
  delayed('stall_single_paced_ms', {
    // Three later segments reveal the loss (RACK, no reordering seen). The retransmission takes its place in the queue
    // again, while the rest arrives.
    drop: [3],
    predicted: ROUND_TRIP_MS + (3 + 1 - (FLIGHT - 1 - 3)) * SPACING_MS,
    agreement: TIMERS,
    forward: `${WAY} rate=${RATE_MBIT}mbit queue=1s`,
  }),
  // Last acknowledgment after R; probe 2·SRTT + 2 ms later; its acknowledgment reveals the other loss, which is
  // retransmitted.
  delayed('stall_tail_probe_ms', {
    drop: [8, 9],
    predicted: 4 * ROUND_TRIP_MS + PROBE_SLACK_MS,
    agreement: TIMERS,
  }),
  delayed('stall_timeout_ms', { drop: [0], segments: 1, predicted: TIMEOUT_MS, agreement: TIMERS }),
  delayed('stall_lost_again_ms', {
    drop: [3, FLIGHT],
    predicted: ROUND_TRIP_MS + TIMEOUT_MS,
    agreement: TIMERS,
  }),
];

export const TCP_CHECKS: readonly Check[] = [...stalls, ...reno, ...cubicWindows];
