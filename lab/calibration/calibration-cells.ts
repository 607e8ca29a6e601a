import { inMilliseconds, type Microseconds, milliseconds } from '../../protocol/base/units.ts';
import { isRtcp } from '../../protocol/rtp/multiplex.ts';
import type { Direction } from '../../sim/direction.ts';
import { type Cell, canonicalLink } from '../cell.ts';
import { NO_FILES } from '../cell-source.ts';
import type { PathObserver } from '../path-observer.ts';
import { runCell } from '../run-cell.ts';
import { type KernelStrategyName, simulatedTwin } from '../strategies.ts';

export interface CalibrationCell {
  /** Name: `drop: single` for a drop list, or the link's line. */
  readonly name: string;
  readonly cell: Cell;
}

/** Cells to compare. Durations are those of each cell's stream, seconds. */
export interface CalibrationPlan {
  readonly strategies: readonly KernelStrategyName[];
  readonly drops: readonly DropName[];
  readonly dropSeconds: number;
  readonly links: readonly string[];
  readonly gridSeconds: number;
}

export const DROP_NAMES = ['single', 'tail', 'retransmission', 'burst 3', 'burst 10', 'acknowledgment'] as const;
export type DropName = (typeof DROP_NAMES)[number];

export const ALL_STRATEGIES: readonly KernelStrategyName[] = [
  'udp-kernel-nack',
  'udp-kernel-fec',
  'udp-kernel-hybrid',
  'tcp-kernel-reno',
  'tcp-kernel-cubic',
  'tcp-kernel-bbr',
];

const GRID = ['loss=0.5%', 'loss=1%', 'loss=2% burst=4', 'loss=5% burst=3'].flatMap((loss) => [
  `${loss} delay=15ms`,
  `${loss} delay=40ms`,
]);

/** 48 cells of the grid and 35 drop lists. */
export const FULL_PLAN: CalibrationPlan = {
  strategies: ALL_STRATEGIES,
  drops: DROP_NAMES,
  dropSeconds: 5,
  links: GRID,
  gridSeconds: 20,
};

export const QUICK_PLAN: CalibrationPlan = {
  strategies: ['udp-kernel-nack', 'udp-kernel-hybrid', 'tcp-kernel-reno', 'tcp-kernel-bbr'],
  drops: ['single', 'tail', 'retransmission', 'burst 10'],
  dropSeconds: 4,
  links: ['loss=1% delay=25ms', 'loss=2% burst=4 delay=25ms'],
  gridSeconds: 10,
};

/**
 * One-way delay of drop-list cells. A frame's first packet is retransmitted well before the next frame but one, so the
 * number of the retransmission is certain.
 */
export const CLEAN_DELAY: Microseconds = milliseconds(20);
const DROP_DELAY = `delay=${inMilliseconds(CLEAN_DELAY)}ms`;
/** All frames have the same size, so the same part of the same frame is dropped. */
const DROP_KBPS = 1_000;
const GRID_KBPS = 2_000;
/** Dropped frames lie in the middle of the stream, after start-up. */
const DROPPED_FRAME = { from: 50, to: 80 } as const;
const CLEAN_SECONDS = 5;
/** One second, so that the budget decides nothing in cells that do not test it. */
const BUDGET_MS = 1_000;

export function calibrationCells(plan: CalibrationPlan): readonly CalibrationCell[] {
  const repeats = (strategy: KernelStrategyName) => !/-(none|reorder|fec)$/.test(strategy);
  const dropsOf = (strategy: KernelStrategyName) =>
    plan.drops.filter((name) => name !== 'retransmission' || repeats(strategy));
  const drops = plan.strategies.flatMap((strategy) =>
    dropsOf(strategy).map((name) => ({ name: `drop: ${name}`, cell: dropCell(strategy, name, plan.dropSeconds) })),
  );
  const grid = plan.links.flatMap((link) =>
    plan.strategies.map((strategy) => {
      const back = link.match(/delay=\S+/)![0];
      return { name: link, cell: cellOf(strategy, { link, back, kbps: GRID_KBPS, seconds: plan.gridSeconds }) };
    }),
  );
  return [...grid, ...drops];
}

function cellOf(
  strategy: KernelStrategyName,
  of: { readonly link: string; readonly back: string; readonly kbps: number; readonly seconds: number; ratio?: number },
): Cell {
  const { link, back, kbps, seconds, ratio: keyFrameRatio = 4 } = of;
  return {
    strategy,
    parameters: {},
    source: { kind: 'synthetic', fps: 30, kbps, keyInterval: 30, keyFrameRatio, frames: 30 * seconds },
    forward: canonicalLink(link, 1),
    back: canonicalLink(back, 1),
    budgetMs: BUDGET_MS,
    warmUpSeconds: 0,
    release: 'asap',
    seed: 1,
    repeat: 1,
  };
}

/** A cell without losses, which measures the latency of the machine. */
export const cleanCell = (strategy: KernelStrategyName): Cell =>
  cellOf(strategy, { link: DROP_DELAY, back: DROP_DELAY, kbps: DROP_KBPS, seconds: CLEAN_SECONDS, ratio: 1 });

/** A packet of a simulated run, with its number in its direction, from 1 as in drop lists. */
interface NumberedPacket {
  readonly direction: Direction;
  readonly number: number;
  readonly at: number;
  /** True for RTCP, which has timers of its own. */
  readonly report: boolean;
}

/** Determines the packets to drop in the simulator; in the kernel, the same numbers are dropped. */
function dropCell(strategy: KernelStrategyName, name: DropName, seconds: number): Cell {
  const build = (forward: readonly number[], back: readonly number[] = []) => {
    const line = (numbers: readonly number[]) =>
      numbers.length === 0 ? DROP_DELAY : `drop=${numbers.join('/')} ${DROP_DELAY}`;
    return cellOf(strategy, { link: line(forward), back: line(back), kbps: DROP_KBPS, seconds, ratio: 1 });
  };
  const clean = recordPackets(build([]));
  const frame = clean.frameFarFromReports();
  const first = clean.firstOf(frame);
  switch (name) {
    case 'single':
      return build([first]);
    case 'tail':
      return build([clean.firstOf(frame + 1) - 1]);
    case 'retransmission':
      return build([first, recordPackets(build([first])).retransmissionAfter(clean.packets, first)]);
    case 'burst 3':
      return build(run(first, 3));
    case 'burst 10':
      return build(run(first, 10));
    case 'acknowledgment': {
      const since = clean.packets.find(({ direction, number }) => direction === 'forward' && number === first)!.at;
      const answer = clean.packets.find(({ direction, at }) => direction === 'back' && at > since);
      return build([], answer ? [answer.number] : []);
    }
    default:
      return name satisfies never;
  }
}

const run = (first: number, length: number): number[] => Array.from({ length }, (_, index) => first + index);

/** Records the packets of a cell in the simulator. */
function recordPackets(cell: Cell) {
  const packets: NumberedPacket[] = [];
  const counts = { forward: 0, back: 0 };
  const observer: PathObserver = {
    onSent: (at, direction, datagram) => {
      const report = !cell.strategy.startsWith('tcp-') && isRtcp(datagram);
      packets.push({ at, direction, report, number: ++counts[direction] });
    },
    onDelivered: () => {},
  };
  const { repeat: _repeat, ...asked } = cell;
  const twin = simulatedTwin(cell.strategy as KernelStrategyName);
  const { frames } = runCell({ ...asked, strategy: twin }, NO_FILES, [observer]);
  const forward = packets.filter(({ direction }) => direction === 'forward');

  return {
    packets,
    firstOf: (frame: number) =>
      forward.find(({ at, report }) => !report && at >= frames.time(frame, 'capturedAt'))!.number,
    /** Reports have their own timers, so in the kernel a report near a packet may be sent on its other side. */
    frameFarFromReports: () => {
      const reports = packets.filter(({ report }) => report).map(({ at }) => at);
      const room = (frame: number) => {
        const at = frames.time(frame, 'capturedAt');
        return Math.min(...reports.map((report) => Math.abs(report - at)), Number.MAX_SAFE_INTEGER);
      };
      let farthest = DROPPED_FRAME.from;
      for (let frame = farthest; frame < DROPPED_FRAME.to; frame++) if (room(frame) > room(farthest)) farthest = frame;
      return farthest;
    },
    /** The first packet that is sent with the loss of packet `lost` and not without it. */
    retransmissionAfter: (clean: readonly NumberedPacket[], lost: number) => {
      const sent = new Map<number, number>();
      for (const { direction, at, report } of clean)
        if (direction === 'forward' && !report) sent.set(at, (sent.get(at) ?? 0) + 1);
      for (const { at, number, report } of forward) {
        if (report) continue;
        const left = sent.get(at) ?? 0;
        if (left === 0 && number > lost) return number;
        sent.set(at, left - 1);
      }
      return lost;
    },
  };
}
