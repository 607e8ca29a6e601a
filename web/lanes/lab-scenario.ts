import type { LaneFigures, LanesState } from '../../protocol/page/lane-message.ts';
import { strategyOf } from './lane-style.ts';
import { readPageLink } from './page-traces.ts';

/** Stream length in the laboratory, seconds: simulated in a few seconds. */
const SECONDS = 60;
const REPEATS = 4;

const KBPS_DEFAULT = 2_000;
/** Range of the source that follows the path, kilobits per second: that of the page. */
const FOLLOWED_KBPS = { kbpsMin: 100, kbpsMax: 4_000 };

/**
 * Returns the current settings as a laboratory scenario (docs/LAB.md) in JSON: the same link, strategies, latencies and
 * bit rate. A scenario has one source for all: lanes that follow the path are part of it only when all do.
 */
export function scenarioOf({ lanes, link }: LanesState, figures: LaneFigures | undefined): string {
  const parsed = readPageLink(link);
  const pathMs = parsed.ok ? parsed.value.delay / 1_000 : 0;
  const fixed = lanes.filter(({ follows }) => !follows);
  const follows = fixed.length === 0;
  const compared = follows ? lanes : fixed;
  const budgets = new Set(compared.map(({ latencyMs }) => Math.max(1, Math.round(latencyMs + pathMs))));
  const strategies = compared
    .map((lane) => {
      if (follows) return { strategy: lane.recovery, rate: 'adaptive' };
      const strategy = lane.kernel ? `tcp-kernel-${lane.congestionControl}` : strategyOf(lane);
      return lane.transport === 'udp' && lane.onLoss === 'smear' ? { strategy, onLoss: lane.onLoss } : strategy;
    })
    .filter((one, index, all) => all.findIndex((other) => JSON.stringify(other) === JSON.stringify(one)) === index);
  const scenario = {
    name: 'from-the-page',
    question: 'How complete and how late is each lane of the page, over several runs?',
    source: follows
      ? { adaptive: { fps: 30, ...FOLLOWED_KBPS, seconds: SECONDS } }
      : { synthetic: { fps: 30, kbps: rateOf(figures), keyInterval: 30, seconds: SECONDS } },
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
