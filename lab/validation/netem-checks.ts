import { instant } from '../../protocol/base/units.ts';
import { Link } from '../../sim/link/link.ts';
import { linkOf } from '../cell.ts';
import { AT_MOST, type Check, check, type Simulate } from './check.ts';
import { lossOf } from './closed-forms/gilbert-elliott.ts';
import { correlatedShare } from './closed-forms/netem-correlation.ts';
import { type Estimate, estimateRatio } from './estimate.ts';

/** netem's parameters as the kernel interprets them: actual loss instead of configured loss. */

/** Below this, four hundred thousand draws are too few; only the upper bound is checked. */
const RARE = 5e-6;

/** Fraction of datagrams lost by a netem link. A trial is a datagram. */
function simulateNetem(words: string, seed: number, trials: number): Estimate {
  const path = new Link(linkOf(`netem="${words}" seed=${seed}`, new Map()), 'forward');
  const datagram = new Uint8Array(1);
  return estimateRatio(trials, (size) => {
    let lost = 0;
    for (let n = 0; n < size; n++) {
      if (path.send(instant(0), datagram) === 'lost') lost++;
      path.pollDelivery(instant(0));
    }
    return [lost, size];
  });
}

const netem =
  (words: string): Simulate =>
  (seed, trials) =>
    simulateNetem(words, seed, trials);

const CORRELATED = [1, 5, 10, 20].flatMap((asked) =>
  [25, 50, 75].map((correlation) => {
    const share = correlatedShare(asked / 100, correlation / 100);
    return check(
      'netem',
      'loss_correlated',
      { asked: `${asked}%`, correlation: `${correlation}%` },
      {
        ...(share < RARE ? { predicted: RARE, agreement: AT_MOST } : { predicted: share }),
        trials: share < RARE ? 400_000 : Math.max(400_000, Math.ceil(200 / share)),
        simulate: netem(`loss ${asked}% ${correlation}%`),
      },
    );
  }),
);

/** Settings found in public scripts: p, r, 1−h and 1−k as given to `tc`, percent. */
const GILBERT_ELLIOTT = [
  [1, 30, 70, 0.1],
  [1, 50, 90, 1],
  [3, 40, 95, 1],
  [2, 30, 100, 0],
  [1, 10, 50, 0],
  [1, 99, 100, 0],
] as const;

export const NETEM_CHECKS: readonly Check[] = [
  ...CORRELATED,
  ...GILBERT_ELLIOTT.map(([p, r, h, k]) =>
    check(
      'netem',
      'loss_gemodel',
      { p: `${p}%`, r: `${r}%`, h: `${h}%`, k: `${k}%` },
      {
        predicted: lossOf({ enterBad: p / 100, leaveBad: r / 100, lossInBad: h / 100, lossInGood: k / 100 }),
        trials: 400_000,
        simulate: netem(`loss gemodel ${p}% ${r}% ${h}% ${k}%`),
      },
    ),
  ),
];
