import { describe, expect, test } from 'vitest';
import { type Cell, canonicalLink } from '../../../lab/cell.ts';
import { NO_FILES } from '../../../lab/cell-source.ts';
import type { EndResult, Receipt } from '../../../lab/measured/end-order.ts';
import { measuredCell } from '../../../lab/measured/measured-frames.ts';
import type { PathEvent } from '../../../lab/measured/path-record.ts';
import { duplicatesReported } from '../../../lab/measured/tcp-statistics.ts';
import type { PathObserver } from '../../../lab/path-observer.ts';
import { runCell } from '../../../lab/run-cell.ts';
import { type KernelStrategyName, simulatedTwin } from '../../../lab/strategies.ts';
import { instant } from '../../../protocol/base/units.ts';

const MACHINE_ZERO = 5_000_000_000;
/** Some receiver times have fractions of a microsecond and the table rounds them; this keeps the order of events. */
const ROUNDED = 0.499;

function cell(link: string): Cell {
  return {
    strategy: 'nack',
    parameters: {},
    source: { kind: 'synthetic', fps: 30, kbps: 1_000, keyInterval: 15, keyFrameRatio: 4, frames: 300 },
    forward: canonicalLink(link, 3),
    back: canonicalLink('delay=20ms', 3),
    budgetMs: 400,
    warmUpSeconds: 1,
    release: 'asap',
    seed: 3,
  };
}

/** A simulated cell, and its events replayed as if they had been measured. */
function both(strategy: KernelStrategyName, link: string) {
  const path: PathEvent[] = [];
  const observer: PathObserver = {
    onSent: (at, direction, datagram, fate) => path.push({ at, kind: 'sent', direction, datagram, fate }),
    onDelivered: (at, direction, datagram) =>
      path.push({ at, kind: 'delivered', direction, datagram, fate: 'carried' }),
  };
  const simulated = runCell({ ...cell(link), strategy: simulatedTwin(strategy) }, NO_FILES, [observer]);
  const rows = Array.from({ length: simulated.frames.length }, (_, row) => simulated.frames.record(row));
  const receipts = rows.flatMap(({ frame, completeAt, renderedAt, class: fate }): Receipt[] => {
    if (completeAt === null || renderedAt === null) return [];
    const times = {
      at: instant(renderedAt + MACHINE_ZERO + ROUNDED),
      completeAt: instant(completeAt + MACHINE_ZERO + ROUNDED),
    };
    if (strategy.startsWith('tcp-')) return [{ kind: 'complete', at: times.completeAt, frame }];
    return [{ kind: 'released', frame, class: fate as 'onTime' | 'recovered', ...times }];
  });
  const result: EndResult = {
    zero: instant(MACHINE_ZERO),
    endedAt: instant(MACHINE_ZERO + simulated.row.simulatedUs),
    captured: rows.map(({ capturedAt }) => ({
      at: instant(capturedAt + MACHINE_ZERO),
      taken: true,
      guidance: { keyFrame: false },
    })),
    givenUp: [],
    receipts,
    timerUs: { p50: 0, p99: 0, max: 0 },
    duplicatesReported: 0,
    socketDrops: 0,
  };
  const measured = measuredCell({ ...cell(link), strategy, repeat: 1 }, NO_FILES, { result, path });
  return { simulated, measured };
}

describe('measured cells', () => {
  for (const [strategy, link] of [
    ['udp-kernel-nack', 'loss=5% delay=20ms'],
    ['tcp-kernel-reno', 'loss=1% delay=20ms'],
  ] as const) {
    test(`have the figures of the simulated cell with the same events: ${strategy}`, () => {
      const { simulated, measured } = both(strategy, link);
      const { cell: _id, strategy: name, host, ...figures } = measured.row;
      expect([simulated.row.host, host]).toEqual(['ideal', 'measured']);
      expect(name).toBe(strategy);
      expect({ ...simulated.row, ...figures }).toEqual(simulated.row);
      expect(measured.bursts).toEqual(simulated.bursts);
      expect(figures.packetsLost).toBeGreaterThan(0);
    });
  }
});

test('duplicates are the sum of two columns of the kernel’s table', () => {
  const table = 'TcpExt: A TCPDSACKRecv B TCPDSACKOfoRecv\nTcpExt: 1 20 3 4\nIpExt: TCPDSACKRecv\nIpExt: 9\n';
  expect(duplicatesReported(table)).toBe(24);
  expect(duplicatesReported('')).toBe(0);
});
