import { LATENCY_MS_MAX } from '../../protocol/control/latency-limit.ts';
import { LANES_MAX, type LaneSettings, type LanesState } from '../../protocol/page/lane-message.ts';
import { parseRunningLink } from '../../sim/link/running-link.ts';
import { LANE_STRATEGIES, strategyOf, withStrategy } from './lane-style.ts';
import { readTrace } from './page-traces.ts';

/** Settings requested by the page's address; a setting that is not named keeps its value. */
export interface AddressedState {
  readonly lanes?: readonly LaneSettings[];
  readonly link?: string;
  readonly source?: string;
  /** Everything in the address that is impossible or unreadable, in words; empty when it is valid. */
  readonly faults: readonly string[];
}

type Fault = string;

const BASE: LaneSettings = {
  transport: 'udp',
  recovery: 'hybrid',
  congestionControl: 'cubic',
  latencyMs: 200,
  onLoss: 'freeze',
};
/** Characters of the address quoted in an error message. */
const QUOTED_CHARACTERS_MAX = 40;

/**
 * Returns the settings as a fragment:
 * `#lanes=none.200,hybrid.200.smear,tcp-cubic.200&link=loss%3D4%25&source=counter.mp4`.
 */
export function writeAddress({ lanes, link, source }: LanesState): string {
  const words = lanes.map((lane) => {
    const smear = lane.transport === 'udp' && lane.onLoss === 'smear' ? '.smear' : '';
    return `${strategyOf(lane)}.${lane.latencyMs}${smear}`;
  });
  return `#${new URLSearchParams({ lanes: words.join(','), link, source })}`;
}

/** Returns an address without the tour, which would replace the network of the link in every window. */
export function withoutTour(address: string): string {
  const url = new URL(address);
  url.searchParams.delete('tour');
  return url.href;
}

/**
 * Reads a fragment made by `writeAddress` or by hand. A setting with an empty value is ignored.
 * @param present the state in force: its sources, and its link, which may be one that only the command line can set.
 */
export function readPageAddress(hash: string, present: Pick<LanesState, 'sources' | 'link'>): AddressedState {
  const asked = new Map<string, string>();
  const faults: Fault[] = [];
  for (const [name, value] of new URLSearchParams(hash.replace(/^#/, ''))) {
    if (!['lanes', 'link', 'source'].includes(name)) {
      faults.push(`${quote(name)} is not a setting (lanes, link and source are)`);
    } else if (asked.has(name)) faults.push(`${name} is given twice`);
    else if (value !== '') asked.set(name, value);
  }
  const lanes = asked.get('lanes')?.split(',').map(readLane);
  if (lanes && lanes.length > LANES_MAX)
    faults.push(`${lanes.length} lanes are given, and at most ${LANES_MAX} are possible`);
  for (const [index, lane] of (lanes ?? []).slice(0, LANES_MAX).entries()) {
    if (typeof lane === 'string') faults.push(`lane ${index + 1} ${lane}`);
  }
  const link = asked.get('link');
  const read = link === undefined || link === present.link ? undefined : parseRunningLink(link, readTrace);
  if (read?.ok === false) faults.push(read.malformed);
  const source = asked.get('source');
  if (source !== undefined && !present.sources.includes(source)) faults.push(`unknown source ${quote(source)}`);
  if (faults.length > 0) return { faults };
  return {
    ...(lanes && { lanes: lanes.filter((lane) => typeof lane !== 'string') }),
    ...(link !== undefined && { link }),
    ...(source !== undefined && { source }),
    faults,
  };
}

/** Parses `STRATEGY.LATENCY` or `STRATEGY.LATENCY.smear`; returns the fault in words otherwise. */
function readLane(word: string): LaneSettings | Fault {
  const [strategy = '', latency = '', onLoss, ...more] = word.split('.');
  const names = LANE_STRATEGIES.map(({ name }) => name);
  if (!names.includes(strategy)) return `names the strategy ${quote(strategy)}, which is none of ${names.join(', ')}`;
  const latencyMs = /^\d+$/.test(latency) ? Number(latency) : Number.NaN;
  if (!(latencyMs <= LATENCY_MS_MAX)) {
    return `has the latency ${quote(latency)}, which is not a whole number of milliseconds from 0 to ${LATENCY_MS_MAX}`;
  }
  const [extra] = [onLoss === 'smear' || onLoss === 'freeze' ? undefined : onLoss, ...more].filter(
    (part) => part !== undefined,
  );
  if (extra !== undefined) return `ends in ${quote(extra)}, which is neither smear nor freeze`;
  return withStrategy({ ...BASE, latencyMs, onLoss: onLoss === 'smear' ? 'smear' : 'freeze' }, strategy);
}

const quote = (text: string): string =>
  text.length > QUOTED_CHARACTERS_MAX ? `“${text.slice(0, QUOTED_CHARACTERS_MAX)}…”` : `“${text}”`;
