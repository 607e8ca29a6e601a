import { describe, expect, test } from 'vitest';
import { type Cell, canonicalLink } from '../../lab/cell.ts';
import { type CellSource, NO_FILES, openCellSource } from '../../lab/cell-source.ts';
import { hashUnits, packUnits, unpackUnits } from '../../lab/packed-units.ts';
import { PacketLog } from '../../lab/packet-log.ts';
import { runCell } from '../../lab/run-cell.ts';
import { SIMULATED_STRATEGIES, type SimulatedStrategyName } from '../../lab/strategies.ts';
import type { SummaryRow } from '../../lab/tables.ts';
import { RECOVERIES } from '../../protocol/control/recovery.ts';
import type { Direction } from '../../sim/direction.ts';
import { SAMPLE, sampleUnits } from '../sample-units.ts';
import { differences } from '../simulated-session.ts';

const SOURCE: CellSource = {
  kind: 'synthetic',
  fps: 30,
  kbps: 1_000,
  keyInterval: 15,
  keyFrameRatio: 4,
  frames: 600,
};

function cell(changes: Partial<Omit<Cell, 'forward' | 'back'>> & { link?: string; back?: string }): Cell {
  const { link = 'loss=3% delay=20ms', back = 'delay=20ms', seed = 1, ...others } = changes;
  return {
    strategy: 'nack',
    parameters: {},
    source: SOURCE,
    budgetMs: 150,
    warmUpSeconds: 0,
    release: 'deadline',
    seed,
    ...others,
    forward: canonicalLink(link, seed),
    back: canonicalLink(back, seed),
  };
}

const run = (changes: Parameters<typeof cell>[0]) => runCell(cell(changes), NO_FILES);
const classesOf = (row: SummaryRow) =>
  row.framesOnTime +
  row.framesRecovered +
  row.framesLate +
  row.framesMended +
  row.framesOverdue +
  row.framesIncomplete +
  row.framesNeverArrived +
  row.framesUndecodable +
  row.framesRefused;

describe('a cell', () => {
  test('counts the bytes of encryption when asked: 16 for each packet of media, 20 for each report', () => {
    const clean = { link: 'delay=20ms', back: 'delay=20ms', strategy: 'reorder' } as const;
    const [plain, encrypted] = [run(clean).row, run({ ...clean, parameters: { encrypted: true } }).row];
    expect(encrypted.framesOnTime).toBe(plain.framesOnTime);
    const source = plain.goodput;
    expect(source).toBe(encrypted.goodput);
    // A packet of 1,200 bytes with its headers grows by 16: more than 1 %; the last of a frame is shorter, and there are a few more.
    expect(encrypted.overheadForward - plain.overheadForward).toBeGreaterThan(0.01);
    expect(encrypted.overheadForward - plain.overheadForward).toBeLessThan(0.04);
    // Reports are short, so that 20 bytes are much.
    expect(encrypted.overheadBack / plain.overheadBack).toBeGreaterThan(1.1);
  });

  test('counts a withheld frame as refused, and keeps its row', () => {
    const { row, frames } = run({ strategy: 'hybrid', link: 'rate=600kbit queue=100ms delay=20ms', budgetMs: 300 });
    expect(row.framesRefused).toBeGreaterThan(100);
    expect(classesOf(row)).toBe(600);
    for (let index = 0; index < frames.length; index++) {
      const { class: outcome, sentAt, capturedAt, renderedAt } = frames.record(index);
      if (outcome === 'refused') expect([sentAt, renderedAt]).toEqual([null, null]);
      else if (sentAt !== null) {
        // Frames leave at the rate limit; a frame in another's row would have left before its capture, or much later.
        expect(sentAt).toBeGreaterThanOrEqual(capturedAt);
        expect(sentAt - capturedAt).toBeLessThan(300_000);
      }
    }
  });

  test('loses the same frames in all strategies and directions with loss per frame', () => {
    const lossOf = (strategy: SimulatedStrategyName) => {
      const fates = { forward: new Map<number, string>(), back: new Map<number, string>() };
      const onSent = (now: number, direction: Direction, _: Uint8Array, fate: string) => {
        const newest = Math.max(0, Math.floor(((now - 1_000) * 30 + 30) / 1_000_000));
        // Datagrams in the microsecond of a capture may have been sent just before it.
        const isBetween = (now - 1_000) * 30 > newest * 1_000_000 + 30;
        if (isBetween) expect(fates[direction].get(newest) ?? fate, `${strategy} ${direction} ${newest}`).toBe(fate);
        if (isBetween || direction === 'forward') fates[direction].set(newest, fate);
      };
      const line = 'ge=10%/50% step=frame delay=20ms';
      runCell(cell({ strategy, link: line, back: line }), NO_FILES, [{ onSent, onDelivered: () => {} }]);
      return fates;
    };
    const none = lossOf('none');
    const lost = [...none.forward.values()].filter((fate) => fate === 'lost').length;
    expect(lost).toBeGreaterThan(60);
    for (const strategy of SIMULATED_STRATEGIES) {
      const { forward, back } = lossOf(strategy);
      for (const [frame, fate] of forward) expect(none.forward.get(frame) ?? fate, `${strategy} ${frame}`).toBe(fate);
      for (const [frame, fate] of back) expect(none.back.get(frame) ?? fate, `${strategy} ${frame}`).toBe(fate);
    }
  });

  test('delivers every frame after the path delay on a clean path', () => {
    const { row, frames } = run({ strategy: 'none', link: 'delay=20ms', release: 'asap' });
    expect(row).toMatchObject({
      frames: 600,
      framesOnTime: 600,
      framesInTime: 600,
      onTimeRatio: 1,
      packetsLost: 0,
      packetsResidual: 0,
      freezes: 0,
      bytesWasted: 0,
      jitterUs: 0,
    });
    expect(row.delayUsP50).toBe(20_000);
    expect(frames.record(0)).toMatchObject({ type: 'key', capturedAt: 1_000, sentAt: 1_000, completeAt: 21_000 });
  });

  test('is reproducible, and differs between seeds', () => {
    const rows = [1, 1, 2].map((seed) => run({ strategy: 'hybrid', seed }).row);
    expect(rows[1]).toEqual(rows[0]);
    expect(rows[2]).not.toEqual(rows[0]);
  });

  test('releases frames at their deadline, or as soon as they are decodable', () => {
    const deadline = run({ link: 'delay=20ms' }).row;
    const asap = run({ link: 'delay=20ms', release: 'asap' }).row;
    expect(deadline.renderUsP50).toBeGreaterThanOrEqual(150_000);
    expect(deadline.renderUsP50).toBeLessThan(150_010);
    expect(asap.renderUsP50).toBe(20_000);
    expect(deadline.delayUsP50).toBe(asap.delayUsP50);
  });

  test('reports about one round trip from the sign of a loss to its repair', () => {
    const { row } = run({ release: 'asap', budgetMs: 300 });
    expect(row.recoveredRetransmission).toBeGreaterThan(50);
    expect(row.recoveredRepair + row.recoveredBoth).toBe(0);
    // One round trip of 40 ms, and 3 ms of reordering tolerance.
    expect(row.recoveryUsP50Retransmission).toBeGreaterThanOrEqual(40_000);
    expect(row.recoveryUsP50Retransmission).toBeLessThan(45_000);
  });

  test('recovers frames by repair packets without requests', () => {
    const { row } = run({ strategy: 'fec', budgetMs: 60 });
    expect(row.recoveredRepair).toBeGreaterThan(50);
    expect(row.recoveredRetransmission).toBe(0);
    expect(row.bytesRepair).toBeGreaterThan(0.2 * row.bytesSource);
    expect(row.bytesWasted).toBeGreaterThan(0.5 * row.bytesRepair);
    expect(row.bytesWasted).toBeLessThan(row.bytesRepair);
  });

  test('counts the bytes sent to mend frames after their deadline, under one per cent of the media', () => {
    const { row } = run({ strategy: 'nack', link: 'loss=3% burst=2 delay=30ms', back: 'delay=30ms', budgetMs: 150 });
    expect(row.framesMended + row.framesLate).toBeGreaterThan(0);
    expect(row.bytesLate).toBeGreaterThan(0);
    expect(row.bytesLate).toBeLessThan(0.01 * row.bytesSource);
    const unmended = run({ strategy: 'none', link: 'loss=3% burst=2 delay=30ms', budgetMs: 150 }).row;
    expect(unmended.bytesLate).toBe(0);
  });

  test('counts losses before and after recovery', () => {
    const { row, bursts } = run({ strategy: 'none', link: 'loss=5% burst=4 delay=5ms' });
    expect(row.packetsResidual).toBe(row.packetsLost);
    expect(row.burstMeanBefore).toBeGreaterThan(2.5);
    const lost = bursts.before.reduce((sum, [length, count]) => sum + length * count, 0);
    expect(lost).toBe(row.packetsLost);
    expect(bursts.after).toEqual(bursts.before);
  });

  test('tells the losses of each kind and direction apart', () => {
    const link = { link: 'loss=5% delay=20ms', back: 'loss=10% delay=20ms', budgetMs: 300 };
    const { row } = run({ strategy: 'hybrid', ...link });
    expect(row.retransmissionsSent).toBeGreaterThan(100);
    expect(row.retransmissionsLost / row.retransmissionsSent).toBeGreaterThan(0.02);
    expect(row.retransmissionsLost / row.retransmissionsSent).toBeLessThan(0.1);
    // The rest is control: reports and notices.
    const named = row.packetsLost + row.retransmissionsLost + row.repairsLost;
    expect(row.datagramsLostForward).toBeGreaterThanOrEqual(named);
    expect(row.datagramsLostForward).toBeLessThan(named + 20);
    expect(row.datagramsLostBack / row.datagramsBack).toBeGreaterThan(0.05);
    expect(row.datagramsLostBack / row.datagramsBack).toBeLessThan(0.15);
    expect([row.datagramsDroppedForward, row.datagramsDroppedBack]).toEqual([0, 0]);
    const fec = run({ strategy: 'fec', ...link }).row;
    expect([fec.retransmissionsSent, fec.retransmissionsLost]).toEqual([0, 0]);
    expect(fec.repairsLost / fec.repairsSent).toBeGreaterThan(0.03);
    expect(fec.repairsLost / fec.repairsSent).toBeLessThan(0.07);
    const tcp = run({ strategy: 'tcp-bbr', ...link }).row;
    expect(tcp.retransmissionsLost).toBeGreaterThan(0);
    expect(tcp.packetsLost + tcp.retransmissionsLost).toBe(tcp.datagramsLostForward);
  });

  test.each(['tail-drop', 'codel'])('counts what a queue drops apart from random losses: %s', (discipline) => {
    const link = `loss=2% rate=1mbit queue=100ms qdisc=${discipline} delay=20ms`;
    const { row } = run({ strategy: 'none', link, back: 'delay=20ms' });
    expect(row.datagramsDroppedForward).toBeGreaterThan(0);
    expect(row.datagramsLostForward).toBeGreaterThan(0);
    const counted = row.datagramsDroppedForward + row.datagramsLostForward;
    expect(counted).toBeGreaterThanOrEqual(row.packetsLost);
    expect(row.throughput).toBeLessThanOrEqual(1_000_000);
    expect(row.throughput).toBeGreaterThan(row.goodput);
  });

  test('gives the end hosts the latencies of their profile', () => {
    const [ideal, linux] = ([undefined, 'linux-6.18'] as const).map((host) =>
      run({ link: 'delay=20ms', release: 'asap', ...(host && { host }) }),
    );
    expect([ideal!.row.host, linux!.row.host]).toEqual(['ideal', 'linux-6.18']);
    // 0.15 ms to the kernel, and 0.96 ms until the process runs.
    expect(linux!.row.deliveredUsP50! - ideal!.row.deliveredUsP50!).toBe(1_110);
    expect(linux!.row.cell).not.toBe(ideal!.row.cell);
    const tcp = run({ strategy: 'tcp-cubic', link: 'delay=20ms', host: 'linux-6.18' }).row;
    const fast = run({ strategy: 'tcp-cubic', link: 'delay=20ms' }).row;
    expect(tcp.deliveredUsP50! - fast.deliveredUsP50!).toBeGreaterThanOrEqual(860);
  });

  test('excludes the warm-up from all counts', () => {
    const all = run({});
    const late = run({ warmUpSeconds: 10 });
    expect(late.row.frames).toBe(300);
    expect(late.frames.length).toBe(600);
    expect(late.row.packetsSent).toBeLessThan(0.55 * all.row.packetsSent);
    expect(late.row.bytesForward).toBeLessThan(0.55 * all.row.bytesForward);
    expect(classesOf(late.row)).toBe(300);
  });

  test('has no frame in time with a budget below the path delay', () => {
    expect(run({ budgetMs: 10 }).row).toMatchObject({ framesInTime: 0, onTimeRatio: 0, bytesGood: 0, goodput: 0 });
  });

  test('delivers nothing on a dead path, without a division by zero', () => {
    const { row } = run({ link: 'loss=100%' });
    expect(row).toMatchObject({ framesNeverArrived: 600, framesRendered: 0, onTimeRatio: 0, stallRatio: 1 });
    expect([row.delayUsP50, row.deliveredUsP50, row.jitterUs]).toEqual([Number.POSITIVE_INFINITY, null, null]);
    for (const [name, value] of Object.entries(row)) {
      if (typeof value === 'number') expect(value, name).not.toBeNaN();
    }
  });
});

describe('any path', () => {
  const paths = [
    'loss=5% delay=20ms jitter=5ms',
    'loss=10% burst=8 delay=30ms dup=5%',
    'corrupt=2% loss=1% delay=15ms jitter=40ms',
    'rate=900kbit queue=80ms delay=10ms',
  ];
  test.each(paths.flatMap((link) => RECOVERIES.map((strategy) => ({ link, strategy }))))(
    'the counts balance: $link, $strategy',
    ({ link, strategy }) => {
      for (const release of ['deadline', 'asap'] as const) {
        const { row, frames } = run({ link, strategy, release, back: link });
        expect(classesOf(row)).toBe(row.frames);
        const displayed = row.framesOnTime + row.framesRecovered + row.framesLate;
        expect(row.framesRendered).toBe(displayed);
        // The displayed and the mended frames are the decodable ones, computed independently.
        expect(row.framesDecodable).toBe(displayed + row.framesMended);
        expect(row.framesInTime).toBeLessThanOrEqual(row.framesCompleteInTime);
        expect(row.packetsLate).toBeLessThanOrEqual(row.packetsResidual);
        expect(row.bytesWasted).toBeLessThanOrEqual(row.bytesRetransmission + row.bytesRepair);
        expect(row.bytesLate).toBeLessThanOrEqual(row.bytesRetransmission + row.bytesRepair);
        for (let i = 0; i < frames.length; i++) {
          const { capturedAt, sentAt, completeAt, renderedAt } = frames.record(i);
          expect(sentAt ?? capturedAt).toBeGreaterThanOrEqual(capturedAt);
          if (renderedAt !== null) expect(renderedAt).toBeGreaterThanOrEqual(completeAt!);
        }
      }
    },
  );
});

describe('file sources', () => {
  const units = sampleUnits(SAMPLE);
  const packed = packUnits(units);

  test('are restored from shared memory unchanged', () => {
    expect(differences([...unpackUnits(packed)], units)).toEqual([]);
  });

  test('are streamed completely', () => {
    const sha256 = hashUnits(packed);
    const bytes = packed.bytes.byteLength;
    const source: CellSource = {
      kind: 'file',
      name: 'counter.h264',
      sha256,
      frames: units.length,
      framesPerSecond: 30,
      bytes,
      keyInterval: 30,
    };
    const { row } = runCell(cell({ source, link: 'delay=5ms' }), { ...NO_FILES, media: new Map([[sha256, packed]]) });
    expect(row).toMatchObject({
      frames: units.length,
      framesInTime: units.length,
      bytesSource: bytes,
      bytesGood: bytes,
    });
  });
});

describe('the packet log', () => {
  test('has each datagram once, with its fate', () => {
    const log = new PacketLog(() => 'any');
    const { row } = runCell(cell({ strategy: 'none' }), NO_FILES, [log]);
    const forward = log.records.filter(({ direction }) => direction === 'forward');
    expect(forward.length).toBe(row.datagramsForward);
    for (const { fate, arrivedAt, sentAt } of forward) {
      expect(arrivedAt).toBe(fate === 'lost' ? null : sentAt + 20_000);
    }
  });
});

describe('an adaptive source', () => {
  const source: CellSource = {
    kind: 'adaptive',
    fps: 30,
    kbpsMin: 100,
    kbpsMax: 3_000,
    keyInterval: 0,
    frames: 1_800,
  };

  test('sends its highest bit rate while the path carries it', () => {
    const { row, frames } = run({ source, strategy: 'hybrid', link: 'delay=20ms' });
    expect(row.onTimeRatio).toBe(1);
    expect(Math.abs((row.bytesSource * 8) / 60 / 3_000_000 - 1)).toBeLessThan(0.02);
    const keys = Array.from({ length: frames.length }, (_, at) => frames.type(at)).filter((type) => type === 'key');
    expect(keys).toHaveLength(1);
  });

  test('takes the target and the requests of its strategy before each frame', () => {
    const guide = { targetBitrate: 1_000_000, takeKeyFrameRequest: () => requested };
    let requested = false;
    const { next } = openCellSource(source, new Map(), guide);
    const bytes = (frames: number) =>
      Array.from({ length: frames }, () => next()!.parts[0]!.length).reduce((sum, length) => sum + length);
    expect(Math.abs((bytes(300) * 8) / 10 / 1_000_000 - 1)).toBeLessThan(0.04);
    guide.targetBitrate = 200_000;
    expect(Math.abs((bytes(300) * 8) / 10 / 200_000 - 1)).toBeLessThan(0.04);
    requested = true;
    expect(next()!.importance).toBe('key');
  });
});
