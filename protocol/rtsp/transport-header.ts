/** Two consecutive ports, or channels: of RTP, and of RTCP. */
export type PacketPair = readonly [rtp: number, rtcp: number];

/** A transport that a client offers in SETUP (RFC 2326 §12.39). */
export interface TransportOffer {
  readonly lower: 'udp' | 'tcp';
  readonly isMulticast: boolean;
  /** Ports of the client; `undefined` when it names none. */
  readonly clientPorts: PacketPair | undefined;
  /** Channels that the client wishes; `undefined` when it leaves the choice to the server. */
  readonly channels: PacketPair | undefined;
  /** Address other than that of the connection to which the client wants the media sent. */
  readonly destination: string | undefined;
  /** `PLAY` or `RECORD`, in upper case. */
  readonly mode: string;
}

/** A transport as the server answers it. */
export type ChosenTransport =
  | { readonly lower: 'udp'; readonly clientPorts: PacketPair; readonly serverPorts: PacketPair; readonly ssrc: number }
  | { readonly lower: 'tcp'; readonly channels: PacketPair; readonly ssrc: number };

/** Transports considered in one request; a player offers three at most. */
const OFFERS_MAX = 16;

/** Returns the offers that this end could accept, in the client's order of preference; others are left out. */
export function parseTransportOffers(value: string): TransportOffer[] {
  const offers: TransportOffer[] = [];
  for (const text of value.split(',', OFFERS_MAX)) {
    const [specification = '', ...parameters] = text.trim().split(';');
    const lower = /^RTP\/AVPF?(?:\/(UDP|TCP))?$/i.exec(specification.trim());
    if (!lower) continue;
    const values = new Map<string, string>();
    for (const parameter of parameters) {
      const [name = '', ...rest] = parameter.trim().split('=');
      values.set(name.toLowerCase(), rest.join('=').replace(/^"(.*)"$/, '$1'));
    }
    const [clientPorts, channels] = [pairOf(values.get('client_port'), 65_535), pairOf(values.get('interleaved'), 255)];
    if (clientPorts === 'invalid' || channels === 'invalid') continue;
    offers.push({
      lower: lower[1]?.toUpperCase() === 'TCP' ? 'tcp' : 'udp',
      isMulticast: values.has('multicast'),
      clientPorts,
      channels,
      destination: values.get('destination') || undefined,
      mode: values.get('mode')?.toUpperCase() ?? 'PLAY',
    });
  }
  return offers;
}

/** Reads `4588-4589`, or `4588` alone, which implies the next one. */
function pairOf(text: string | undefined, max: number): PacketPair | 'invalid' | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text.trim());
  if (!match) return 'invalid';
  const rtp = Number(match[1]);
  const rtcp = match[2] === undefined ? rtp + 1 : Number(match[2]);
  const isPort = max > 255;
  return rtp > max || rtcp > max || (isPort && (rtp === 0 || rtcp === 0)) ? 'invalid' : [rtp, rtcp];
}

/** Returns the value of the Transport header field in the answer to SETUP. */
export function formatTransport(chosen: ChosenTransport): string {
  const ssrc = `ssrc=${chosen.ssrc.toString(16).toUpperCase().padStart(8, '0')}`;
  if (chosen.lower === 'tcp') return `RTP/AVP/TCP;unicast;interleaved=${chosen.channels.join('-')};${ssrc}`;
  const ports = `client_port=${chosen.clientPorts.join('-')};server_port=${chosen.serverPorts.join('-')}`;
  return `RTP/AVP;unicast;${ports};${ssrc}`;
}
