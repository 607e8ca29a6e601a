import { LATENCY_MS_MAX } from '../../protocol/control/latency-limit.ts';
import { LANES_MAX, type LaneSettings, type LanesState } from '../../protocol/page/lane-message.ts';
import { parseRunningLink } from '../../sim/link/running-link.ts';
import { STRATEGIES, strategyOf, withStrategy } from './lane-style.ts';
import { readTrace } from './page-traces.ts';

/** What an address asks for; what it does not name stays as it is. */
export interface AddressedState {
  readonly lanes?: readonly LaneSettings[];
  readonly link?: string;
  readonly source?: string;
  /** What of it is impossible or cannot be read, and why, in words; empty: nothing. */
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
/** Enough to be recognised; an address may be as long as it likes. */
const QUOTED_CHARACTERS_MAX = 40;

/** All settings in the address: `#lanes=none.200,hybrid.200.smear,tcp-cubic.200&link=loss%3D4%25&source=counter.mp4`. */
export function writeAddress({ lanes, link, source }: LanesState): string {
  const words = lanes.map((lane) => {
    const smear = lane.transport === 'udp' && lane.onLoss === 'smear' ? '.smear' : '';
    return `${strategyOf(lane)}.${lane.latencyMs}${smear}`;
  });
  return `#${new URLSearchParams({ lanes: words.join(','), link, source })}`;
}

/**
 * Reads what `writeAddress` wrote, or what a person made of it. Settings without a value are not asked for.
 * @param present what is in force: the sources that there are, and a link that may be one that only the demo's command
 * line could ask for.
 */
export function readAddress(hash: string, present: Pick<LanesState, 'sources' | 'link'>): AddressedState {
  const asked = new Map<string, string>();
  const faults: Fault[] = [];
  for (const [name, value] of new URLSearchParams(hash.replace(/^#/, ''))) {
    if (!['lanes', 'link', 'source'].includes(name)) {
      faults.push(`there is no setting ${quote(name)}, only lanes, link and source`);
    } else if (asked.has(name)) faults.push(`${name} is in it twice`);
    else if (value !== '') asked.set(name, value);
  }
  const lanes = asked.get('lanes')?.split(',').map(readLane);
  if (lanes && lanes.length > LANES_MAX) faults.push(`it has ${lanes.length} lanes, and ${LANES_MAX} are possible`);
  for (const [index, lane] of (lanes ?? []).slice(0, LANES_MAX).entries()) {
    if (typeof lane === 'string') faults.push(`lane ${index + 1} ${lane}`);
  }
  const link = asked.get('link');
  const read = link === undefined || link === present.link ? undefined : parseRunningLink(link, readTrace);
  if (read?.ok === false) faults.push(read.malformed);
  const source = asked.get('source');
  if (source !== undefined && !present.sources.includes(source)) faults.push(`there is no source ${quote(source)}`);
  if (faults.length > 0) return { faults };
  return {
    ...(lanes && { lanes: lanes.filter((lane) => typeof lane !== 'string') }),
    ...(link !== undefined && { link }),
    ...(source !== undefined && { source }),
    faults,
  };
}

/** `STRATEGY.LATENCY`, or `STRATEGY.LATENCY.smear`; otherwise what is wrong with it. */
function readLane(word: string): LaneSettings | Fault {
  const [strategy = '', latency = '', onLoss, ...more] = word.split('.');
  const names = STRATEGIES.map(({ name }) => name);
  if (!names.includes(strategy)) return `asks for ${quote(strategy)}, which is none of ${names.join(', ')}`;
  const latencyMs = /^\d+$/.test(latency) ? Number(latency) : Number.NaN;
  if (!(latencyMs <= LATENCY_MS_MAX)) {
    return `has the latency ${quote(latency)}, which is no whole number of milliseconds from 0 to ${LATENCY_MS_MAX}`;
  }
  const [extra] = [onLoss === 'smear' || onLoss === 'freeze' ? undefined : onLoss, ...more].filter(
    (part) => part !== undefined,
  );
  if (extra !== undefined) return `ends in ${quote(extra)}, where only smear or freeze can stand`;
  return withStrategy({ ...BASE, latencyMs, onLoss: onLoss === 'smear' ? 'smear' : 'freeze' }, strategy);
}

const quote = (text: string): string =>
  text.length > QUOTED_CHARACTERS_MAX ? `“${text.slice(0, QUOTED_CHARACTERS_MAX)}…”` : `“${text}”`;
