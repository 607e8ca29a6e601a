/** Origin of a preset's numbers. */
export type Provenance =
  /** Fitted to measurements by their authors. */
  | 'fitted'
  /** Setting of a reproducible experiment; makes no claim about a network. */
  | 'experiment'
  /** A widely used guess without measurements. */
  | 'folklore';

export interface Preset {
  /** Name in `preset=NAME`. */
  readonly name: string;
  /** The link in its one-line form. */
  readonly link: string;
  readonly provenance: Provenance;
  /** Source, and deviations from it. */
  readonly source: string;
}

const STR0M = "str0m's netem crate; its authors' estimates, not fitted";
const COMCAST = "comcast's table of profiles; the same values in both directions";
const QUIC = 'QUIC interop runner';

/**
 * Ready-made links. None is fitted: no authoritative table of loss by access technology was found, and the literature
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
    source: "Tambur (NSDI'23), its default configuration: the chain steps once per frame",
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
    source: `${QUIC}; without its cap of 3 consecutive losses`,
  },
  {
    name: 'quic-handshake-loss',
    link: 'loss=30% delay=15ms rate=10mbit queue=25p',
    provenance: 'experiment',
    source: `${QUIC}; without its cap of 3 consecutive losses`,
  },
  {
    name: 'quic-blackhole',
    link: 'onoff=periodic/5s/2s delay=15ms rate=10mbit queue=25p',
    provenance: 'experiment',
    source: QUIC,
  },
  { name: 'quic-long-rtt', link: 'delay=750ms rate=10mbit queue=25p', provenance: 'experiment', source: QUIC },
];
