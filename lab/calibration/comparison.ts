import { instant } from '../../protocol/base/units.ts';
import { Link } from '../../sim/link/link.ts';
import { type Cell, linkOf } from '../cell.ts';
import { NO_FILES } from '../cell-source.ts';
import type { FrameTable } from '../frame-table.ts';
import type { Machine } from '../machine.ts';
import { type MeasuredRun, measureCell } from '../measured/measure-cell.ts';
import { measuredCell } from '../measured/measured-frames.ts';
import type { DisturbanceLimits, Measurement } from '../measured/measurement.ts';
import { percentile, type Sorted, sorted } from '../metrics/percentile.ts';
import { runCell } from '../run-cell.ts';
import { isKernelStrategy, simulatedTwin } from '../strategies.ts';
import { kolmogorovSmirnov } from './distance.ts';

/** Figures of one side. Delays are from capture to decodable, microseconds; `Infinity` when never. */
export interface Side {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** Bits per second of the frames that were decodable within half a second after the last capture. */
  readonly goodput: number;
  readonly framesDecodable: number;
}

/** A cell run in the simulator and over the kernel. */
export interface Comparison {
  readonly name: string;
  readonly strategy: string;
  readonly forward: string;
  readonly back: string;
  readonly simulated: Side;
  readonly measured: Side;
  /** Kolmogorov–Smirnov distance of the delays, plain and with a shift of `TOLERANCE` allowed. */
  readonly distance: number;
  readonly distanceTolerant: number;
  /** Packets of the measured run whose fate differs from the link's fate for the same number. Must be 0. */
  readonly fatesDiffering: number;
  /** Packets lost, forward and back. */
  readonly lostSimulated: number;
  readonly lostMeasured: number;
  readonly measurement: Measurement;
  /** Host latencies of the simulated ends. */
  readonly machine: Machine;
  readonly verdict: 'agrees' | 'differs';
  /** Figures beyond their limits. */
  readonly misses: readonly string[];
  /** For a cell with random losses that differs: true when other seeds of the simulator differ as much. */
  readonly withinChance: boolean;
}

/** Limits of agreement. */
export const LIMITS = {
  udp: { distance: 0.05, p99Us: 3_000, p99Share: 0.05 },
  tcp: { p95Share: 0.15, goodputShare: 0.1 },
} as const;

/**
 * Shift of a frame's time that the distance tolerates: the limit of the 99th percentile. A simulated frame has the
 * machine's median latency, a measured one slightly more or less; without tolerance, a tenth of a millisecond separates
 * two distributions on a path without jitter completely.
 */
export const TOLERANCE = LIMITS.udp.p99Us;
/** Number of other seeds that show the variation by chance. */
const OTHER_SEEDS = 20;
/** Frames later than this are of no use to a live viewer, microseconds after the last capture. */
const GOODPUT_TAIL = 500_000;

export async function compare(
  name: string,
  cell: Cell,
  options: {
    readonly signal: AbortSignal;
    readonly limits: DisturbanceLimits;
    readonly calm: () => Promise<void>;
    /** Host latencies of the simulated ends. */
    readonly machine: Machine;
  },
): Promise<Comparison> {
  const { repeat: _repeat, ...asked } = cell;
  if (!isKernelStrategy(cell.strategy)) throw new TypeError('a comparison needs a kernel strategy');
  const simulated = runCell({ ...asked, strategy: simulatedTwin(cell.strategy) }, NO_FILES, [], options.machine);
  const run = await measureCell(cell, NO_FILES, options);
  const measured = measuredCell(cell, NO_FILES, run);
  const delays = { simulated: delaysOf(simulated.frames), measured: delaysOf(measured.frames) };
  const sides = {
    simulated: sideOf(simulated.frames, delays.simulated),
    measured: sideOf(measured.frames, delays.measured),
  };
  const distance = kolmogorovSmirnov(delays.simulated, delays.measured);
  const distanceTolerant = kolmogorovSmirnov(delays.simulated, delays.measured, TOLERANCE);
  const fatesDiffering = differingFates(cell, run);
  const misses = missesOf(cell.strategy.startsWith('tcp-') ? 'tcp' : 'udp', { ...sides, distanceTolerant });
  const withinChance =
    misses.length > 0 && fatesDiffering === 0 && isChance(cell, options.machine, { ...sides, distanceTolerant });
  if (fatesDiffering > 0) misses.push(`${fatesDiffering} packets had a different fate`);
  return {
    name,
    strategy: cell.strategy,
    forward: cell.forward,
    back: cell.back,
    ...sides,
    distance,
    distanceTolerant,
    fatesDiffering,
    lostSimulated: simulated.row.packetsLost,
    lostMeasured: measured.row.packetsLost,
    measurement: run.measurement,
    machine: options.machine,
    verdict: misses.length === 0 ? 'agrees' : 'differs',
    misses,
    withinChance,
  };
}

/**
 * True when the measured figures lie within the range of other seeds of the simulator. Never for drop lists, which
 * leave nothing to chance.
 */
function isChance(
  cell: Cell,
  machine: Machine,
  { measured, distanceTolerant }: { readonly measured: Side; readonly distanceTolerant: number },
): boolean {
  if (!/\bloss=/.test(cell.forward) || !isKernelStrategy(cell.strategy)) return false;
  const strategy = simulatedTwin(cell.strategy);
  const { repeat: _repeat, ...asked } = cell;
  const others = Array.from({ length: OTHER_SEEDS + 1 }, (_, index) => {
    const seed = index + 1;
    const [forward, back] = [cell.forward, cell.back].map((line) => line.replace(/seed=\d+/, `seed=${seed}`));
    const other = { ...asked, strategy, seed, forward: forward!, back: back! };
    const { frames } = runCell(other, NO_FILES, [], machine);
    const delays = delaysOf(frames);
    return { delays, side: sideOf(frames, delays) };
  });
  const own = others[0]!.delays;
  const isAmong = (value: number, limit: number, read: (side: Side) => number) => {
    const values = others.map(({ side }) => read(side));
    return value >= Math.min(...values) - limit && value <= Math.max(...values) + limit;
  };
  if (cell.strategy.startsWith('tcp-')) {
    const { p95Share, goodputShare } = LIMITS.tcp;
    const { p95, goodput } = measured;
    return (
      isAmong(p95, p95Share * p95, (side) => side.p95) &&
      isAmong(goodput, goodputShare * goodput, (side) => side.goodput)
    );
  }
  const distances = others.map(({ delays }) => kolmogorovSmirnov(own, delays, TOLERANCE));
  return isAmong(measured.p99, p99Limit(measured), ({ p99 }) => p99) && distanceTolerant <= Math.max(...distances);
}

/** Returns the figures of two sides that differ by more than their limits. */
export function missesOf(
  transport: 'udp' | 'tcp',
  found: { readonly simulated: Side; readonly measured: Side; readonly distanceTolerant: number },
): string[] {
  const { simulated, measured, distanceTolerant } = found;
  const misses: string[] = [];
  if (transport === 'udp') {
    const { distance } = LIMITS.udp;
    if (distanceTolerant > distance) misses.push(`KS ${distanceTolerant.toFixed(3)}`);
    if (exceeds(gap(simulated.p99, measured.p99), p99Limit(measured))) misses.push('p99');
    return misses;
  }
  const { p95Share, goodputShare } = LIMITS.tcp;
  if (exceeds(gap(simulated.p95, measured.p95), p95Share * measured.p95)) misses.push('p95');
  if (exceeds(gap(simulated.goodput, measured.goodput), goodputShare * measured.goodput)) misses.push('goodput');
  return misses;
}

const p99Limit = ({ p99 }: Side): number => Math.max(LIMITS.udp.p99Us, LIMITS.udp.p99Share * p99);

/** True when a gap exceeds its limit. An infinite gap (only one side completed) always does. */
const exceeds = (width: number, limit: number): boolean => width > limit || width === Number.POSITIVE_INFINITY;

/** Two infinite values have no gap. */
const gap = (one: number, other: number): number => (one === other ? 0 : Math.abs(one - other));

/** Delays of all frames from capture to decodable. */
export function delaysOf(frames: FrameTable): Sorted {
  return sorted(
    Array.from({ length: frames.length }, (_, row) => {
      const delay = frames.time(row, 'decodableAt') - frames.time(row, 'capturedAt');
      return Number.isNaN(delay) ? Number.POSITIVE_INFINITY : delay;
    }),
  );
}

function sideOf(frames: FrameTable, delays: Sorted): Side {
  const first = frames.time(0, 'capturedAt');
  const end = frames.time(frames.length - 1, 'capturedAt') + GOODPUT_TAIL;
  let bytes = 0;
  let framesDecodable = 0;
  for (let row = 0; row < frames.length; row++) {
    const at = frames.time(row, 'decodableAt');
    if (Number.isNaN(at)) continue;
    framesDecodable++;
    if (at <= end) bytes += frames.bytes(row);
  }
  const at = (share: number) => percentile(delays, share) ?? Number.POSITIVE_INFINITY;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), goodput: (bytes * 8e6) / (end - first), framesDecodable };
}

/** Counts packets whose fate differs when the link gets the same sizes at the same instants. */
function differingFates(cell: Cell, { path }: MeasuredRun): number {
  let differing = 0;
  for (const direction of ['forward', 'back'] as const) {
    const link = new Link(linkOf(cell[direction], NO_FILES.traces), direction, { headerBytes: 0 });
    for (const { at, kind, direction: way, datagram, fate } of path) {
      if (kind !== 'sent' || way !== direction) continue;
      if (link.send(instant(Math.max(0, at)), datagram) !== fate) differing++;
    }
  }
  return differing;
}
