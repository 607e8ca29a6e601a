import type { LaneSettings } from '../../protocol/page/lane-message.ts';

/** Color and marker of a strategy, as in the laboratory's reports. */
export interface LaneStyle {
  readonly color: string;
  readonly colorDark: string;
  /** An SVG path in a square from −1 to 1. */
  readonly marker: string;
  /** False for TCP, whose markers are hollow. */
  readonly filled: boolean;
}

const CIRCLE = 'M-1,0A1,1 0 1 1 1,0A1,1 0 1 1 -1,0Z';
const SQUARE = 'M-.85,-.85H.85V.85H-.85Z';
const DIAMOND = 'M0,-1L1,0L0,1L-1,0Z';
const UP = 'M0,-1L1,.8H-1Z';
const DOWN = 'M0,1L1,-.8H-1Z';
const PLUS = 'M-1,-.34H-.34V-1H.34V-.34H1V.34H.34V1H-.34V.34H-1Z';

export const LANE_STYLES: Readonly<Record<string, LaneStyle>> = {
  none: { color: '#767676', colorDark: '#a8a8a8', marker: PLUS, filled: true },
  reorder: { color: '#3c94c8', colorDark: '#7cc7ee', marker: DOWN, filled: true },
  nack: { color: '#0060a0', colorDark: '#4a9fe0', marker: CIRCLE, filled: true },
  fec: { color: '#008a64', colorDark: '#2fc79a', marker: SQUARE, filled: true },
  hybrid: { color: '#d04a00', colorDark: '#ff8442', marker: DIAMOND, filled: true },
  adaptive: { color: '#2b7a0b', colorDark: '#8fd05a', marker: UP, filled: true },
  'tcp-reno': { color: '#b37700', colorDark: '#f0b840', marker: UP, filled: false },
  'tcp-cubic': { color: '#b4528a', colorDark: '#e39ac4', marker: SQUARE, filled: false },
  'tcp-kernel': { color: '#7d4a2b', colorDark: '#d9a27e', marker: DIAMOND, filled: false },
  'tcp-bbr': { color: '#1a1a1a', colorDark: '#f4f4f4', marker: CIRCLE, filled: false },
};

/** Name of the lane over the TCP of the machine's kernel. */
export const KERNEL = 'tcp-kernel';

/**
 * The strategies of a lane. Names are those of the command line (`--recovery`) and the laboratory; labels and
 * descriptions are shown on the page.
 */
export const LANE_STRATEGIES: readonly { readonly name: string; readonly label: string; readonly about: string }[] = [
  { name: 'none', label: 'UDP none', about: 'No recovery, and packets out of order are thrown away.' },
  { name: 'reorder', label: 'UDP reorder', about: 'No recovery: lost parts of the picture stay old.' },
  { name: 'nack', label: 'UDP nack', about: 'Asks for every lost packet again.' },
  { name: 'fec', label: 'UDP fec', about: 'Sends 25 % repair packets in advance.' },
  { name: 'hybrid', label: 'UDP hybrid', about: 'Asks again while there is time, else sends repairs.' },
  { name: 'adaptive', label: 'UDP adaptive', about: 'Hybrid, and the video shrinks to fit the path.' },
  { name: 'tcp-reno', label: 'TCP reno', about: 'Everything, in order, however late. A model.' },
  { name: 'tcp-cubic', label: 'TCP cubic', about: 'Everything, in order, however late. A model.' },
  { name: 'tcp-bbr', label: 'TCP bbr', about: 'As TCP cubic, but loss does not slow it. A model.' },
  { name: KERNEL, label: 'TCP kernel', about: 'No model: the TCP of this computer’s kernel.' },
];

/** Label of a strategy on the page. */
export const strategyLabel = (strategy: string): string =>
  LANE_STRATEGIES.find(({ name }) => name === strategy)?.label ?? strategy;

/** Name of the lane whose source follows the path. */
const ADAPTIVE = 'adaptive';

export function strategyOf(lane: LaneSettings): string {
  if (lane.transport === 'tcp') return lane.kernel ? KERNEL : `tcp-${lane.congestionControl}`;
  return lane.follows ? ADAPTIVE : lane.recovery;
}

/** Returns a copy of the lane's settings with another strategy. */
export function withStrategy({ follows: _, kernel: __, ...lane }: LaneSettings, strategy: string): LaneSettings {
  if (strategy === ADAPTIVE) return { ...lane, transport: 'udp', recovery: 'hybrid', follows: true };
  if (strategy === KERNEL) return { ...lane, transport: 'tcp', kernel: true };
  if (!strategy.startsWith('tcp-')) {
    return { ...lane, transport: 'udp', recovery: strategy as LaneSettings['recovery'] };
  }
  const congestionControl = strategy.slice('tcp-'.length) as LaneSettings['congestionControl'];
  return { ...lane, transport: 'tcp', congestionControl };
}
