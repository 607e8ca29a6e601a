/** Link presets for the demo page. They are illustrations, without a published source. */
export const DEMO_PRESETS: readonly { readonly name: string; readonly link: string; readonly source?: string }[] = [
  { name: 'default', link: 'loss=4% delay=30ms±4ms order=kept' },
  { name: 'fibre', link: 'delay=5ms' },
  { name: 'office Wi-Fi', link: 'ge=1.5%/50% delay=8ms±6ms order=kept rate=30mbit queue=100ms' },
  {
    name: 'crowded Wi-Fi',
    link: 'ge=1.5%/50% delay=8ms±6ms order=kept rate=8mbit queue=150ms qdisc=fq-codel cross=tcp-cubic',
  },
  { name: 'competing download', link: 'delay=20ms rate=6mbit queue=300ms cross=tcp-cubic' },
  { name: 'train', link: 'ctge=6%/600ms/100%/1.5% delay=40ms±20ms order=kept' },
  {
    name: 'drive',
    link: 'trace=lte-drive.down delay=30ms±5ms order=kept queue=500ms',
    source: 'LTE in a car: a synthetic capacity trace modelled on a recorded drive (samples/traces)',
  },
  {
    name: 'lift',
    link: 'trace=lift.down delay=30ms±5ms order=kept queue=500ms',
    source: 'A phone in a lift: 16 of 40 seconds at the edge of reception, two pauses included (samples/traces)',
  },
  { name: 'satellite link', link: 'loss=1% delay=300ms±10ms order=kept rate=10mbit queue=500ms' },
  { name: 'very bad', link: 'loss=18% burst=5 delay=80ms±40ms slip=3%/3 rate=4mbit queue=300ms' },
];
