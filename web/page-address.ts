import type { LaneSettings, LanesState } from '../protocol/lane-message.ts';
import { LANE_STYLES, strategyOf, withStrategy } from './lane-style.ts';

/** What an address asks for; what it does not name stays as it is. */
export interface AddressedState {
  readonly lanes?: readonly LaneSettings[];
  readonly link?: string;
  readonly source?: string;
}

const BASE: LaneSettings = {
  transport: 'udp',
  recovery: 'hybrid',
  congestionControl: 'cubic',
  latencyMs: 200,
  onLoss: 'freeze',
};
const LATENCY_MS_MAX = 60_000;
const LANES_MAX = 4;

/** All settings in the address: `#lanes=none.200,hybrid.200.smear,tcp-cubic.200&link=loss%3D4%25&source=counter.mp4`. */
export function writeAddress({ lanes, link, source }: LanesState): string {
  const words = lanes.map((lane) => {
    const smear = lane.transport === 'udp' && lane.onLoss === 'smear' ? '.smear' : '';
    return `${strategyOf(lane)}.${lane.latencyMs}${smear}`;
  });
  return `#${new URLSearchParams({ lanes: words.join(','), link, source })}`;
}

/** Whatever is not understood is left out: an address is typed by people. */
export function readAddress(hash: string): AddressedState {
  const asked = new URLSearchParams(hash.replace(/^#/, ''));
  const lanes = (asked.get('lanes') ?? '').split(',').flatMap((word) => readLane(word) ?? []);
  const [link, source] = [asked.get('link'), asked.get('source')];
  return {
    ...(lanes.length > 0 && { lanes: lanes.slice(0, LANES_MAX) }),
    ...(link !== null && link !== '' && { link }),
    ...(source !== null && source !== '' && { source }),
  };
}

function readLane(word: string): LaneSettings | undefined {
  const [strategy = '', latency = '', onLoss] = word.split('.');
  if (!Object.hasOwn(LANE_STYLES, strategy) || !/^\d{1,5}$/.test(latency)) return undefined;
  const lane = { ...BASE, latencyMs: Math.min(Number(latency), LATENCY_MS_MAX) };
  return withStrategy({ ...lane, onLoss: onLoss === 'smear' ? 'smear' : 'freeze' }, strategy);
}
