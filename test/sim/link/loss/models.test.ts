import { describe, expect, test } from 'vitest';
import { microseconds, milliseconds, seconds } from '../../../../protocol/base/units.ts';
import { meanLoss } from '../../../../sim/link/loss/loss-model.ts';
import { outageHash, outageSchedule } from '../../../../sim/link/loss/outage-schedule.ts';
import { SwitchingTimes } from '../../../../sim/link/loss/switching-times.ts';
import { LossProcess } from '../../../../sim/link/loss-process.ts';
import { RandomStream } from '../../../../sim/random.ts';
import { link } from '../../../simulated-session.ts';

const process = (text: string, direction = 'forward') => new LossProcess(link(text), direction);

/** Fates of datagrams sent at a fixed interval, microseconds. */
function fates(text: string, count: number, every = 0): boolean[] {
  const loss = process(text);
  return Array.from({ length: count }, (_, index) => loss.next(microseconds(index * every)));
}

const share = (lost: readonly boolean[]): number => lost.filter(Boolean).length / lost.length;

/** Checks a mean within 2.58 standard errors, estimated from 100 batches, so it holds for correlated processes too. */
function expectShare(lost: readonly boolean[], expected: number): void {
  const size = lost.length / 100;
  const means = Array.from({ length: 100 }, (_, batch) => share(lost.slice(batch * size, (batch + 1) * size)));
  const mean = share(lost);
  const variance = means.reduce((sum, each) => sum + (each - mean) ** 2, 0) / 99;
  expect(Math.abs(mean - expected)).toBeLessThan(2.58 * Math.sqrt(variance / 100));
}

describe('Gilbert–Elliott', () => {
  test('with loss 1 in Bad and 0 in Good equals loss and burst', () => {
    // p = loss·r/(1 − loss) with r = 1/burst.
    expect(fates('ge=5%/20% seed=4', 5_000)).toEqual(fates('loss=20% burst=5 seed=4', 5_000));
  });

  test.each(['1%/30%/70%/0.1%', '3%/40%/95%/1%', '6.8%/85.2%/50%/4%', '2.5%/50%'])(
    '%s has the expected mean loss',
    (numbers) => {
      const { lossModel } = link(`ge=${numbers}`);
      expectShare(fates(`ge=${numbers} seed=11`, 400_000), meanLoss(lossModel!));
    },
  );

  test('step=frame uses one state per frame, independent of the number of datagrams', () => {
    const run = (packets: (frame: number) => number) => {
      const loss = process('ge=20%/30% step=frame seed=2');
      return Array.from({ length: 300 }, (_, frame) => {
        const lost = Array.from({ length: packets(frame) }, () => loss.next(microseconds(0), frame + 7));
        expect(new Set(lost).size).toBe(1);
        return lost[0];
      });
    };
    const once = run(() => 1);
    expect(run((frame) => 1 + (frame % 5))).toEqual(once);
    expect(once).toContain(true);
    expect(once).toContain(false);
  });

  test('step=frame without frame numbers treats each datagram as a frame', () => {
    expect(fates('ge=20%/30% step=frame seed=2', 500)).toEqual(fates('ge=20%/30% seed=2', 500));
  });

  test('a time step gives the same bad times at twice the packet rate', () => {
    const slow = fates('ge=5%/20% step=10ms seed=3', 2_000, 10_000);
    const fast = fates('ge=5%/20% step=10ms seed=3', 4_000, 5_000);
    expect(fast.filter((_, index) => index % 2 === 0)).toEqual(slow);
    expect(slow).toContain(true);
  });
});

describe('Gilbert–Elliott in continuous time', () => {
  test('has the expected mean loss', () => {
    expectShare(fates('ctge=2%/20ms/100%/0% seed=6', 300_000, 2_400), 0.02);
    expectShare(fates('ctge=10%/50ms/60%/1% seed=6', 300_000, 2_400), 0.069);
  });

  test('switching times depend on the seed only, not on the queries', () => {
    const times = () =>
      new SwitchingTimes({
        random: new RandomStream(5, 'forward/loss-times'),
        meanGood: milliseconds(980),
        meanBad: milliseconds(20),
        startsBad: false,
        from: microseconds(0),
      });
    const switches = (step: number) => {
      const process = times();
      const seen: number[] = [];
      for (let at = 0; at < 100_000_000; at += step) {
        process.isBad(microseconds(at));
        if (seen.at(-1) !== process.switchesAt) seen.push(process.switchesAt);
      }
      return seen;
    };
    const often = switches(50);
    expect(often.length).toBeGreaterThan(150);
    // Sparse queries miss short states, and see no others.
    for (const at of switches(7_000)) expect(often).toContain(at);
  });

  test('sojourn times have the configured means', () => {
    const random = new RandomStream(9, 'forward/loss-times');
    const times = new SwitchingTimes({
      random,
      meanGood: milliseconds(120),
      meanBad: milliseconds(40),
      startsBad: false,
      from: microseconds(0),
    });
    const sums = { good: 0, bad: 0 };
    const count = 20_000;
    let since = 0;
    for (let sojourn = 0; sojourn < 2 * count; sojourn++) {
      const state = times.isBad(microseconds(since)) ? 'bad' : 'good';
      const at = times.switchesAt;
      sums[state] += at - since;
      since = at;
    }
    // The standard deviation of an exponential distribution equals its mean.
    expect(Math.abs(sums.good / count - 120_000)).toBeLessThan((2.58 * 120_000) / Math.sqrt(count));
    expect(Math.abs(sums.bad / count - 40_000)).toBeLessThan((2.58 * 40_000) / Math.sqrt(count));
  });
});

describe('four-state model', () => {
  test.each(['2%/30%/5%/40%/0.1%', '1%', '5%/50%/0%/100%/2%'])('%s has the expected mean loss', (numbers) => {
    const { lossModel } = link(`state4=${numbers}`);
    expectShare(fates(`state4=${numbers} seed=8`, 400_000), meanLoss(lossModel!));
  });

  test('receives the datagram after an isolated loss', () => {
    const lost = fates('state4=0%/0%/0%/0%/40% seed=3', 10_000);
    expect(lost).toContain(true);
    expect(lost.some((each, index) => each && lost[index + 1])).toBe(false);
  });

  test('loses everything in the long run when a burst never ends', () => {
    expect(meanLoss(link('state4=1%/0%/0%/100%/0%').lossModel!)).toBe(1);
    expect(fates('state4=50%/0%/0%/100%/0%', 1_000).slice(100)).not.toContain(false);
  });
});

test('an exponential on/off link starts up, and is down for the configured fraction of time', () => {
  const lost = fates('onoff=exponential/90ms/10ms seed=7', 300_000, 1_000);
  expect(lost[0]).toBe(false);
  expectShare(lost, 0.1);
});

test('a periodic on/off link is down at the same times in every period', () => {
  const lost = fates('onoff=periodic/30ms/20ms', 15, 10_000);
  expect(lost.map(Number)).toEqual([0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1]);
});

test('a drop list loses exactly the listed datagrams, counted from 1', () => {
  expect(fates('drop=1/3/6-7', 9).map(Number)).toEqual([1, 0, 1, 0, 0, 1, 1, 0, 0]);
});

test('shuffled loss has the same count in every block, at varying places', () => {
  const lost = fates('shuffle=5%/40 seed=5', 40 * 500);
  const places = Array.from({ length: 500 }, (_, block) =>
    lost.slice(block * 40, (block + 1) * 40).flatMap((each, place) => (each ? [place] : [])),
  );
  for (const place of places) expect(place).toHaveLength(2);
  expect(new Set(places.flat()).size).toBe(40);
});

describe('outage schedule', () => {
  test.each(['ctge=20%/30ms', 'onoff=exponential/70ms/20ms', 'onoff=periodic/70ms/20ms'])(
    'of %s matches the fates, and differs between seeds and directions',
    (words) => {
      const until = 3_000_000;
      const schedule = outageSchedule(link(`${words} seed=5`), 'forward', microseconds(until));
      expect(schedule.length).toBeGreaterThan(20);
      const bad = (at: number) => schedule.filter((switchesAt) => switchesAt <= at).length % 2 === 1;
      const expected = Array.from({ length: until / 1_000 }, (_, index) => bad(index * 1_000));
      expect(fates(`${words} seed=5`, until / 1_000, 1_000)).toEqual(expected);
      // Other stages do not change it.
      const same = outageSchedule(link(`${words} seed=5 delay=9ms rate=1mbit dup=5%`), 'forward', microseconds(until));
      expect(outageHash(same)).toBe(outageHash(schedule));
      if (words.includes('periodic')) return;
      expect(outageHash(outageSchedule(link(`${words} seed=6`), 'forward', microseconds(until)))).not.toBe(
        outageHash(schedule),
      );
      expect(outageHash(outageSchedule(link(`${words} seed=5`), 'back', microseconds(until)))).not.toBe(
        outageHash(schedule),
      );
    },
  );

  test('is empty for loss per datagram', () => {
    expect(outageSchedule(link('loss=5% burst=3'), 'forward', seconds(1_000))).toEqual([]);
  });
});

describe('reconfiguration of a loss model', () => {
  test('keeps the state of a chain whose parameters are unchanged', () => {
    const changed = process('ge=5%/20%/90%/1% seed=4');
    const expected = fates('ge=5%/20%/90%/1% seed=4', 1_000);
    const seen = Array.from({ length: 1_000 }, (_, index) => {
      if (index % 100 === 50) changed.reconfigure(link('ge=5%/20%/90%/1% seed=99'), microseconds(index));
      return changed.next(microseconds(index));
    });
    expect(seen).toEqual(expected);
  });

  test('continues the random streams instead of restarting them', () => {
    const changed = process('loss=10% seed=4');
    const first = Array.from({ length: 500 }, () => changed.next());
    changed.reconfigure(link('loss=10% burst=1.2 seed=4'), microseconds(500));
    changed.reconfigure(link('loss=10% seed=4'), microseconds(500));
    const second = Array.from({ length: 500 }, () => changed.next());
    expect(second).not.toEqual(first);
    expect([...first, ...second]).toEqual(fates('loss=10% seed=4', 1_000));
  });
});
