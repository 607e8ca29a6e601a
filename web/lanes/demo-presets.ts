/** Beside those of the laboratory: links for the show, our own and of no authority. */
export const DEMO_PRESETS: readonly { readonly name: string; readonly link: string; readonly source?: string }[] = [
  { name: 'as it began', link: 'loss=4% delay=30ms±4ms order=kept' },
  { name: 'clean fibre', link: 'delay=5ms' },
  { name: 'office Wi-Fi', link: 'ge=1.5%/50% delay=8ms±6ms order=kept rate=30mbit queue=100ms' },
  { name: 'train', link: 'ctge=6%/600ms/100%/1.5% delay=40ms±20ms order=kept' },
  {
    name: 'LTE, driving (synthetic trace)',
    link: 'trace=lte-drive.down delay=30ms±5ms order=kept queue=500ms',
    source: 'A capacity that changes by the second: no recording, but modelled after one (samples/traces)',
  },
  { name: 'satellite link', link: 'loss=1% delay=300ms±10ms order=kept rate=10mbit queue=500ms' },
  { name: 'everything is on fire', link: 'loss=18% burst=5 delay=80ms±40ms slip=3%/3 rate=4mbit queue=300ms' },
];
