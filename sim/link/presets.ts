/** Where a preset's numbers come from. */
export type Provenance =
  /** Made to agree with measurements, by those who made them. */
  | 'fitted'
  /** The setting of an experiment that others can repeat; no claim about any network. */
  | 'experiment'
  /** Someone's guess that many use. */
  | 'folklore';

export interface Preset {
  /** As in `preset=NAME`. */
  readonly name: string;
  /** The link in its one-line form. */
  readonly link: string;
  readonly provenance: Provenance;
  /** Who says so, and what was left out. */
  readonly source: string;
}

const STR0M = "str0m's netem crate; the names are its authors' guesses, no fits";
const COMCAST = "comcast's table of profiles; both directions alike here";
const QUIC = 'QUIC interop runner';

/**
 * Ready-made links. None is fitted: no authoritative table of loss by technology could be found, and the literature
 * warns that two states do not describe Wi-Fi (Carvalho et al.) or residential broadband (Ellis et al. 2014).
 */
export const PRESETS: readonly Preset[] = [
  {
    name: 'wifi',
    link: 'ge=0.5%/50% delay=5ms±2ms order=kept rate=100mbit queue=200kB',
    provenance: 'folklore',
    source: STR0M,
  },
  {
    name: 'wifi-lossy',
    link: 'ge=2.5%/50% delay=15ms±10ms order=kept rate=50mbit queue=100kB',
    provenance: 'folklore',
    source: STR0M,
  },
  {
    name: 'cellular',
    link: 'ge=1%/50% delay=50ms±15ms order=kept rate=30mbit queue=100kB',
    provenance: 'folklore',
    source: STR0M,
  },
  {
    name: 'satellite',
    link: 'ge=1%/33.3333333333% delay=600ms±30ms order=kept rate=15mbit queue=500kB',
    provenance: 'folklore',
    source: STR0M,
  },
  {
    name: 'congested',
    link: 'ge=5%/50% delay=80ms±40ms order=kept rate=10mbit queue=50kB',
    provenance: 'folklore',
    source: STR0M,
  },
  {
    name: 'tambur',
    link: 'ge=6.8%/85.2%/50%/4% step=frame delay=50ms',
    provenance: 'experiment',
    source: "Tambur (NSDI'23), default of its configurations: the chain steps once a frame",
  },
  { name: 'gprs', link: 'loss=2% delay=500ms rate=50kbit', provenance: 'folklore', source: COMCAST },
  { name: 'edge', link: 'loss=1.5% delay=300ms rate=250kbit', provenance: 'folklore', source: COMCAST },
  { name: '3g', link: 'loss=1.5% delay=250ms rate=750kbit', provenance: 'folklore', source: COMCAST },
  { name: 'dial-up', link: 'loss=2% delay=185ms rate=40kbit', provenance: 'folklore', source: COMCAST },
  { name: 'dsl-poor', link: 'loss=2% delay=70ms rate=2mbit', provenance: 'folklore', source: COMCAST },
  { name: 'dsl-good', link: 'loss=0.5% delay=40ms rate=8mbit', provenance: 'folklore', source: COMCAST },
  { name: 'wifi-good', link: 'loss=0.2% delay=40ms rate=30mbit', provenance: 'folklore', source: COMCAST },
  { name: 'starlink', link: 'loss=2.5% delay=20ms', provenance: 'folklore', source: COMCAST },
  { name: 'quic', link: 'delay=15ms rate=10mbit queue=25p', provenance: 'experiment', source: QUIC },
  {
    name: 'quic-transfer-loss',
    link: 'loss=2% delay=15ms rate=10mbit queue=25p',
    provenance: 'experiment',
    source: `${QUIC}; its cap of 3 losses in a row is left out`,
  },
  {
    name: 'quic-handshake-loss',
    link: 'loss=30% delay=15ms rate=10mbit queue=25p',
    provenance: 'experiment',
    source: `${QUIC}; its cap of 3 losses in a row is left out`,
  },
  {
    name: 'quic-blackhole',
    link: 'onoff=periodic/5s/2s delay=15ms rate=10mbit queue=25p',
    provenance: 'experiment',
    source: QUIC,
  },
  { name: 'quic-long-rtt', link: 'delay=750ms rate=10mbit queue=25p', provenance: 'experiment', source: QUIC },
];

/** The grid of RFC 8868 for tests of congestion control: each one-way delay with each loss, in the one-line form. */
export const RFC_8868_GRID: readonly string[] = [0, 50, 150, 300].flatMap((delay) =>
  [0, 1, 5, 10, 20].map((loss) => `loss=${loss}% delay=${delay}ms`),
);
