import { instant, milliseconds, seconds } from '../../protocol/base/units.ts';
import type { Direction } from '../../sim/direction.ts';
import { Link } from '../../sim/link/link.ts';
import { outageHash, outageSchedule } from '../../sim/link/loss/outage-schedule.ts';
import { linkOf } from '../cell.ts';
import type { PathObserver } from '../path-observer.ts';
import { SIMULATED_STRATEGIES, type SimulatedStrategyName } from '../strategies.ts';
import { type Check, check, EQUAL } from './check.ts';
import { exactly } from './estimate.ts';
import { runExperiment } from './stream-simulations.ts';

/** Comparability of strategies: a strategy's traffic does not change the behaviour of the path. */

const DATAGRAMS = 5_000;

/** One setting per stage that lets all datagrams of the check through, so that each decision is observable. */
const STAGES: Readonly<Record<string, string>> = {
  rate: 'rate=100mbit queue=10s/1GB/99999p',
  delay: 'delay=25ms',
  jitter: 'jitter=9ms',
  fifo: 'fifo-jitter=9ms',
  slip: 'slip=10%/2',
  duplication: 'dup=15%',
  corruption: 'corrupt=15%',
};

const LOSS = 'loss=20% burst=3';

/** Datagrams lost by the loss stage of a link, at one datagram per millisecond. */
function lossesOn(words: string, seed: number): boolean[] {
  const path = new Link(linkOf(`${words} seed=${seed}`, new Map()), 'forward');
  return Array.from(
    { length: DATAGRAMS },
    (_, number) => path.send(instant(milliseconds(number)), new Uint8Array(40)) === 'lost',
  );
}

const stageIndependence = Object.entries(STAGES).map(([stage, words]) =>
  check(
    'fairness',
    'losses_changed_by_stage',
    { stage, datagrams: DATAGRAMS },
    {
      predicted: 0,
      agreement: EQUAL,
      trials: 1,
      simulate: (seed) => {
        const [alone, together] = [lossesOn(LOSS, seed), lossesOn(`${LOSS} ${words}`, seed)];
        return exactly(alone.filter((lost, number) => lost !== together[number]).length);
      },
    },
  ),
);

const OUTAGES = 'ctge=5%/60ms delay=20ms';
const FRAMES = 900;

/** Counts datagrams whose fate contradicts the outage schedule. */
class ScheduleChecker implements PathObserver {
  readonly #schedule: readonly number[];
  #next = 0;
  contradictions = 0;

  constructor(schedule: readonly number[]) {
    this.#schedule = schedule;
  }

  onSent(now: number, direction: Direction, _: Uint8Array, fate: string): void {
    if (direction === 'back') return;
    while (this.#next < this.#schedule.length && this.#schedule[this.#next]! <= now) this.#next++;
    // After an odd number of switches the path is in the bad state.
    if ((this.#next % 2 === 1) !== (fate === 'lost')) this.contradictions++;
  }

  onDelivered(): void {}
}

const sameOutages = SIMULATED_STRATEGIES.map((strategy: SimulatedStrategyName) =>
  check(
    'fairness',
    'fates_unlike_outages',
    { strategy, outages: hashOf(1) },
    {
      predicted: 0,
      agreement: EQUAL,
      trials: FRAMES,
      trialCost: 2_000,
      simulate: (seed, trials) => {
        const observer = new ScheduleChecker(scheduleOf(seed));
        const experiment = { strategy, framesPerSecond: 30, packets: 5, forward: OUTAGES, back: 'delay=20ms' };
        runExperiment({ ...experiment, budgetMs: 150 }, seed, trials, [observer]);
        return exactly(observer.contradictions);
      },
    },
  ),
);

function scheduleOf(seed: number): number[] {
  return outageSchedule(linkOf(`${OUTAGES} seed=${seed}`, new Map()), 'forward', seconds(600));
}

function hashOf(seed: number): string {
  return outageHash(scheduleOf(seed)).slice(0, 8);
}

/** Datagrams neither delivered, lost, dropped nor in flight, checked after each datagram. */
const MIXTURES: Readonly<Record<string, string>> = {
  stages: 'loss=3% burst=4 dup=10% jitter=30ms slip=5%/3 rate=3mbit queue=30ms',
  times: 'ctge=20%/20ms outage=1s-1500ms fifo-jitter=20ms rate=2mbit queue=20p',
  netem: 'netem="loss 10% 25% duplicate 20% delay 20ms 30ms reorder 10% gap 3 rate 4mbit limit 20 corrupt 5%"',
};

const conserved = Object.entries(MIXTURES).map(([link, words]) =>
  check(
    'fairness',
    'datagrams_unaccounted',
    { link, datagrams: DATAGRAMS },
    {
      predicted: 0,
      agreement: EQUAL,
      trials: 1,
      simulate: (seed) => exactly(unaccounted(words, seed)),
    },
  ),
);

function unaccounted(words: string, seed: number): number {
  const path = new Link(linkOf(`${words} seed=${seed}`, new Map()), 'forward');
  let [delivered, wrong] = [0, 0];
  for (let number = 0; number < DATAGRAMS; number++) {
    const now = milliseconds(number);
    while (path.pollDelivery(instant(now))) delivered++;
    path.send(instant(now), new Uint8Array(500));
    const { offered, duplicated, lost, overflowed, inFlight } = path.counters;
    wrong += Math.abs(offered + duplicated - delivered - lost - overflowed - inFlight);
  }
  return wrong;
}

export const FAIRNESS_CHECKS: readonly Check[] = [...stageIndependence, ...sameOutages, ...conserved];
