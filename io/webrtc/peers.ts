import { DatagramSocket } from '../net/datagram-socket.ts';
import {
  type NativeLibrary,
  type NativeListener,
  type NativePeer,
  type NativeTrack,
  nativeLibrary,
} from './native-library.ts';

/** Stream that is sent to a peer. */
export interface PeerStream {
  readonly kind: 'video' | 'audio';
  readonly payloadType: number;
  readonly encodingName: string;
  /** SSRCs of its packets, by which the RTCP of the peer finds it. */
  readonly ssrcs: readonly number[];
}

export interface PeerOptions {
  /** Offer of the peer, written by this program, with media numbered as the streams. */
  readonly offer: string;
  readonly streams: readonly PeerStream[];
  readonly cname: string;
  /** Called once when packets can be sent. */
  readonly onOpen: () => void;
  /** Called once when the peer has closed the connection, or does not answer any more (RFC 7675). */
  readonly onClosed: (cause: string) => void;
  /** Called with a packet of RTCP that concerns a stream. */
  readonly onFeedback: (stream: number, packet: Uint8Array) => void;
}

/** This end of the connection to a peer, as an answer names it. */
export interface PeerTransport {
  readonly iceUfrag: string;
  readonly icePwd: string;
  readonly fingerprint: string;
  readonly setup: 'active' | 'passive';
  /** Addresses of this machine at which it can be reached. */
  readonly addresses: readonly string[];
}

/** Addresses of this machine in an answer. */
const ADDRESSES_MAX = 8;
/** Servers of this process: the library is put away with the last one. */
let users = 0;
/** Tracks since the library was last cleaned up: when one of them is collected before, the library crashes. */
const tracksKept = new Set<NativeTrack>();

/**
 * Connections to WebRTC peers on one UDP port: ICE, DTLS and SRTP are those of node-datachannel (libdatachannel); RTP and
 * RTCP are the caller's. Nothing is sent to an address before a check with the session's password has come from it.
 */
export class Peers {
  readonly #library: NativeLibrary;
  readonly #listener: NativeListener;
  readonly #host: string;
  readonly port: number;
  #closed = false;

  private constructor(library: NativeLibrary, host: string, port: number) {
    this.#library = library;
    // Holds the port while there are no connections.
    this.#listener = new library.IceUdpMuxListener(port, host);
    this.#host = host;
    this.port = port;
    users++;
  }

  /** True where the library is installed. */
  static get isAvailable(): boolean {
    return nativeLibrary() !== undefined;
  }

  /** @throws {Failure} when the port is not available. */
  static async open({ host, port }: { readonly host: string; readonly port: number }): Promise<Peers> {
    const library = nativeLibrary();
    if (!library) throw new Error('the package for WebRTC is not installed');
    // The library cannot tell why a port is not available.
    const probe = await DatagramSocket.open({ host, port, onDatagram: () => {} });
    const free = probe.port;
    probe.close();
    return new Peers(library, host, free);
  }

  /** @throws {Error} when the library refuses the offer. */
  connect(options: PeerOptions): Peer {
    return new Peer(this.#library, { ...options, host: this.#host, port: this.port });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.stop();
    users--;
    // Its threads keep the process alive.
    if (users > 0) return;
    this.#library.cleanup();
    tracksKept.clear();
  }
}

/** One connection. */
export class Peer {
  readonly transport: PeerTransport;
  readonly #connection: NativePeer;
  readonly #tracks: NativeTrack[] = [];
  #closed = false;

  constructor(library: NativeLibrary, options: PeerOptions & { readonly host: string; readonly port: number }) {
    const { offer, streams, cname, host, port, onOpen, onClosed, onFeedback } = options;
    const connection = new library.PeerConnection(cname, {
      iceServers: [],
      bindAddress: host,
      enableIceUdpMux: true,
      portRangeBegin: port,
      portRangeEnd: port,
      disableAutoNegotiation: true,
      forceMediaTransport: true,
    });
    this.#connection = connection;
    try {
      for (const [index, { kind, payloadType, encodingName, ssrcs }] of streams.entries()) {
        const media = new library[kind === 'video' ? 'Video' : 'Audio'](`${index}`, 'SendOnly');
        if (kind === 'video') media.addVideoCodec!(payloadType, encodingName);
        else media.addAudioCodec!(payloadType, encodingName);
        for (const ssrc of ssrcs) media.addSSRC(ssrc, cname);
        const track = connection.addTrack(media);
        this.#tracks.push(track);
        tracksKept.add(track);
        track.onMessage((packet) => this.#closed || onFeedback(index, packet));
      }
      let waiting = this.#tracks.length;
      for (const track of this.#tracks) {
        track.onOpen(() => {
          if (--waiting === 0 && !this.#closed) onOpen();
        });
      }
      connection.onStateChange((state) => {
        if (this.#closed || !['disconnected', 'failed', 'closed'].includes(state)) return;
        onClosed(state === 'closed' ? 'the connection closed' : 'the connection is lost');
      });
      connection.setRemoteDescription(offer, 'offer');
      connection.setLocalDescription('answer');
      this.transport = transportIn(connection.localDescription()?.sdp ?? '');
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Sends packets of RTP and RTCP of a stream. */
  send(stream: number, packets: readonly Uint8Array[]): void {
    const track = this.#tracks[stream];
    if (this.#closed || !track?.isOpen()) return;
    try {
      for (const { buffer, byteOffset, length } of packets) {
        track.sendMessageBinary(Buffer.from(buffer, byteOffset, length));
      }
    } catch {
      // It has closed meanwhile, which is reported by its state.
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
    // Only this frees their callbacks, and with them the session.
    for (const track of this.#tracks) track.close();
  }
}

function transportIn(sdp: string): PeerTransport {
  const parameterIn = (pattern: RegExp): string => pattern.exec(sdp)?.[1] ?? '';
  const addresses = [...sdp.matchAll(/^a=candidate:\S+ 1 udp \d+ (\S+) \d+ typ host/gim)].map((match) => match[1]!);
  return {
    iceUfrag: parameterIn(/^a=ice-ufrag:(\S+)/m),
    icePwd: parameterIn(/^a=ice-pwd:(\S+)/m),
    fingerprint: parameterIn(/^a=fingerprint:sha-256 (\S+)/im),
    setup: parameterIn(/^a=setup:(\S+)/m) === 'passive' ? 'passive' : 'active',
    addresses: [...new Set(addresses)].slice(0, ADDRESSES_MAX),
  };
}
