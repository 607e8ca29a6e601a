import type { LaneSettings } from '../../protocol/page/lane-message.ts';

/** How a strategy looks: the colors and markers of the laboratory's reports. */
export interface LaneStyle {
  readonly color: string;
  readonly colorDark: string;
  /** An SVG path in a square from −1 to 1. */
  readonly marker: string;
  /** Hollow markers are TCP. */
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
  'tcp-reno': { color: '#b37700', colorDark: '#f0b840', marker: UP, filled: false },
  'tcp-cubic': { color: '#b4528a', colorDark: '#e39ac4', marker: SQUARE, filled: false },
  'tcp-bbr': { color: '#1a1a1a', colorDark: '#f4f4f4', marker: CIRCLE, filled: false },
};

/** What a lane can be, as the page words it. */
export const STRATEGIES: readonly { readonly name: string; readonly label: string; readonly about: string }[] = [
  {
    name: 'none',
    label: 'UDP, in order only',
    about: 'What is lost is lost, and what comes out of order is not used either.',
  },
  { name: 'reorder', label: 'UDP, no recovery', about: 'Waits for what is out of order; what is lost is lost.' },
  { name: 'nack', label: 'UDP, asked again', about: 'The receiver asks for what is missing, in time or not.' },
  { name: 'fec', label: 'UDP, repair packets', about: 'A quarter more bytes in advance mend single losses.' },
  { name: 'hybrid', label: 'UDP, by deadline', about: 'Asks where there is time, repairs in advance where not.' },
  { name: 'tcp-reno', label: 'TCP Reno (modelled)', about: 'Complete and in order, however long that takes.' },
  { name: 'tcp-cubic', label: 'TCP Cubic (modelled)', about: 'Complete and in order, however long that takes.' },
  { name: 'tcp-bbr', label: 'TCP BBR (modelled)', about: 'Complete and in order; does not slow down for loss alone.' },
];

export function strategyOf(lane: LaneSettings): string {
  return lane.transport === 'tcp' ? `tcp-${lane.congestionControl}` : lane.recovery;
}

/** The same lane with another strategy. */
export function withStrategy(lane: LaneSettings, strategy: string): LaneSettings {
  if (!strategy.startsWith('tcp-')) {
    return { ...lane, transport: 'udp', recovery: strategy as LaneSettings['recovery'] };
  }
  const congestionControl = strategy.slice('tcp-'.length) as LaneSettings['congestionControl'];
  return { ...lane, transport: 'tcp', congestionControl };
}
