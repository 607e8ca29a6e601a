import type { LaneFigures, LanesState } from '../../protocol/page/lane-message.ts';
import { strategyOf } from './lane-style.ts';
import { readPageLink } from './page-traces.ts';

/** Stream length in the laboratory, seconds: simulated in a few seconds. */
const SECONDS = 60;
const REPEATS = 4;

const KBPS_DEFAULT = 2_000;

/**
 * Returns the current settings as a laboratory scenario (docs/LAB.md) in JSON: the same link, strategies, latencies and
 * bit rate.
 */
export function scenarioOf({ lanes, link }: LanesState, figures: LaneFigures | undefined): string {
  const parsed = readPageLink(link);
  const pathMs = parsed.ok ? parsed.value.delay / 1_000 : 0;
  const budgets = new Set(lanes.map(({ latencyMs }) => Math.max(1, Math.round(latencyMs + pathMs))));
  const strategies = lanes
    .map((lane) => {
      const strategy = strategyOf(lane);
      return lane.transport === 'udp' && lane.onLoss === 'smear' ? { strategy, onLoss: lane.onLoss } : strategy;
    })
    .filter((one, index, all) => all.findIndex((other) => JSON.stringify(other) === JSON.stringify(one)) === index);
  const scenario = {
    name: 'from-the-page',
    question: 'How complete and how late is each lane of the page, over several runs?',
    source: { synthetic: { fps: 30, kbps: rateOf(figures), keyInterval: 30, seconds: SECONDS } },
    // The laboratory derives the seeds of a link from the repeats.
    link: { forward: link.replace(/(^|\s)seed=\d+/, '').trim() || 'delay=0ms' },
    strategies,
    budgetsMs: [...budgets].sort((a, b) => a - b),
    repeats: REPEATS,
    warmUpSeconds: 2,
  };
  return `${JSON.stringify(scenario, null, 2)}\n`;
}

/** Bit rate of the source as measured on a lane, kilobits per second. */
function rateOf(figures: LaneFigures | undefined): number {
  if (!figures || figures.seconds < 1 || figures.mediaBytes === 0) return KBPS_DEFAULT;
  return Math.max(1, Math.round((figures.mediaBytes * 8) / figures.seconds / 1_000));
}
