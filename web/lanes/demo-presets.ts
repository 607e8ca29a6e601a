import { PRESETS } from '../../sim/link/presets.ts';

/** A link preset of the page. They are illustrations, without a published source. */
export interface DemoPreset {
  readonly name: string;
  readonly link: string;
  /** Description, for a tooltip. */
  readonly source?: string;
}

/** Presets that are offered first: networks that everyone knows. */
export const FIRST_PRESETS: readonly DemoPreset[] = [
  { name: 'fibre', link: 'delay=5ms', source: 'A wire at home: nothing is lost' },
  {
    name: 'lossy line',
    link: 'loss=4% delay=30ms±4ms order=kept',
    source: 'Busy Wi-Fi behind DSL: 4 of 100 packets are lost. The page starts with it',
  },
  {
    name: 'crowded Wi-Fi',
    link: 'ge=1.5%/50% delay=8ms±6ms order=kept rate=8mbit queue=150ms qdisc=fq-codel cross=tcp-cubic',
    source: 'Losses in bursts, and somebody else downloads',
  },
  {
    name: 'drive',
    link: 'trace=lte-drive.down delay=30ms±5ms order=kept queue=500ms',
    source: 'LTE in a car: a synthetic capacity trace modelled on a recorded drive (samples/traces)',
  },
  {
    name: 'train',
    link: 'ctge=6%/600ms/100%/1.5% delay=40ms±20ms order=kept',
    source: 'Holes of 0.6 seconds, and light losses between them',
  },
  {
    name: 'satellite',
    link: 'loss=1% delay=300ms±10ms order=kept rate=10mbit queue=500ms',
    source: 'A geostationary satellite: 0.3 seconds each way',
  },
];

/** The other presets of the page. */
export const MORE_PRESETS: readonly DemoPreset[] = [
  { name: 'office Wi-Fi', link: 'ge=1.5%/50% delay=8ms±6ms order=kept rate=30mbit queue=100ms' },
  { name: 'competing download', link: 'delay=20ms rate=6mbit queue=300ms cross=tcp-cubic' },
  {
    name: 'lift',
    link: 'trace=lift.down delay=30ms±5ms order=kept queue=500ms',
    source: 'A phone in a lift: 16 of 40 seconds at the edge of reception, two pauses included (samples/traces)',
  },
  { name: 'very bad', link: 'loss=18% burst=5 delay=80ms±40ms slip=3%/3 rate=4mbit queue=300ms' },
];

/** Presets of the laboratory, without its guess at a satellite: the page has one of its own. */
export const LAB_PRESETS: readonly DemoPreset[] = PRESETS.filter(({ name }) => name !== 'satellite');
