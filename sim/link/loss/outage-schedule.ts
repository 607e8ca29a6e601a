import { type Microseconds, microseconds } from '../../../protocol/base/units.ts';
import { RandomStream } from '../../random.ts';
import { contentHash } from '../content-hash.ts';
import type { LinkSpecification } from '../link-specification.ts';
import { switchingTimes } from './timed-loss.ts';

/**
 * Returns the switching times of a time-driven loss model, microseconds since the link began: entries 1, 3, … enter the
 * bad state, entries 2, 4, … leave it. Empty for other models.
 */
export function outageSchedule(
  link: Pick<LinkSpecification, 'lossModel' | 'seed'>,
  direction: string,
  until: Microseconds,
): number[] {
  const { lossModel } = link;
  if (lossModel?.kind !== 'continuous-time' && lossModel?.kind !== 'on-off') return [];
  const stream = (stage: string) => new RandomStream(link.seed, `${direction}/${stage}`);
  const times = switchingTimes(lossModel, {
    times: stream('loss-times'),
    start: stream('loss-start'),
    losses: stream('loss-in-state'),
    from: microseconds(0),
  });
  const schedule: number[] = [];
  let at = microseconds(0);
  let bad = times?.isBad(microseconds(0)) ?? false;
  if (bad) schedule.push(0);
  for (;;) {
    if (times) at = times.switchesAt;
    else if (lossModel.kind === 'on-off') at = microseconds(at + (bad ? lossModel.off : lossModel.on));
    if (at >= until) return schedule;
    times?.isBad(at);
    bad = !bad;
    schedule.push(at);
  }
}

/**
 * Hash of a switching schedule. Equal for all strategies of an experiment; a difference shows that two runs met
 * different outages.
 */
export const outageHash = (schedule: readonly number[]): string =>
  contentHash(schedule.flatMap((at) => [Math.floor(at / 0x1_0000_0000), at]));
