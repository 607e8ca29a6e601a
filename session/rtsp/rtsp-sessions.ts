import { networkOf } from '../../io/net/networks.ts';
import { elapsed, type Instant, instant, type Microseconds, microseconds, seconds } from '../../protocol/base/units.ts';
import type { JoinableUnitsOptions } from '../../protocol/codec/joinable-units.ts';
import type { PresentationTrack } from '../../protocol/rtsp/presentation-description.ts';
import type { ChosenTransport, PacketPair, TransportOffer } from '../../protocol/rtsp/transport-header.ts';
import { UnlimitedRate } from '../../sender/rate/unlimited-rate.ts';
import { type JoinedStream, PlayerSession, VIDEO_TRACK } from '../player/player-session.ts';
import { PlayerTrack, playerStream } from '../player/player-track.ts';
import type { PlaceLimits } from '../stream/place-limits.ts';
import { placeFor } from '../stream/places.ts';
import type { MediaPorts } from './media-ports.ts';
import type { RtspPeer } from './rtsp-connection.ts';

/** UDP ports from which players are served. */
export type PlayerPorts = Pick<MediaPorts, 'pair' | 'send' | 'take' | 'release' | 'isClosed'>;

export interface RtspSessionsOptions extends Pick<JoinableUnitsOptions, 'rotation'> {
  readonly live: JoinedStream;
  readonly tracks: readonly PresentationTrack[];
  readonly limits: PlaceLimits;
  /** Largest RTP packet, bytes. */
  readonly datagramBytesMax: number;
  /** UDP ports; `undefined` where only TCP is offered. */
  readonly ports: () => PlayerPorts | undefined;
  readonly onJoined: (session: PlayerSession) => void;
  readonly onLeft: (session: PlayerSession, cause: string) => void;
  /** An internal error has ended a session. */
  readonly onFault: (session: PlayerSession, line: string) => void;
}

/** Silence after which a session ends (RFC 2326 §12.37, whose default it is). */
export const SESSION_TIMEOUT: Microseconds = seconds(60);
/** Time-out that players over UDP are told, so that they send requests more often: ffmpeg after half of it, GStreamer after 0.8. */
export const UDP_KEEP_ALIVE: Microseconds = seconds(10);
/**
 * Silence after which a player over UDP gets no more media, until its next request or report (RFC 7675 §5.1): its machine may be
 * gone without a word, and another may have its address.
 */
const CONSENT_TIMEOUT: Microseconds = seconds(12);
/** Silence after which a session over UDP ends whose connection has closed: most players do so because they are gone. */
const ORPHAN_TIMEOUT: Microseconds = seconds(10);
/**
 * Time without a report after which the port of a player over UDP is tried, and tried again. That of most players is
 * 6.2 s at most (RFC 3550 §6.3), that of ffmpeg's any: it reports after 280 kB, so its silence tells nothing.
 */
const PROBE_INTERVAL: Microseconds = seconds(7);
/**
 * Pictures that ffmpeg's demuxer, which mpv has too, examines before a player shows the first one, with some to spare: 7 for
 * the decode delay of H.264, then 20 for the frame rate.
 */
const EXAMINED_PICTURES = 30;
/** Time for which an ended session is kept, so that the player reads BYE and the answer to its TEARDOWN, milliseconds. */
const ENDED_MS = 3_000;
const CHANNELS = 256;
/** Cause of the end of a session that its player has ended. */
export const TEARDOWN = 'TEARDOWN';

/** Reason for which there is no session, and the time after which it is worth asking again, where that is soon. */
export interface RefusedSession {
  readonly refused: string;
  readonly retrySeconds?: number;
}

const STOPPED: RefusedSession = { refused: 'the sender is being stopped', retrySeconds: 1 };

interface Entry {
  readonly session: PlayerSession;
  /** Connection of its last SETUP; `undefined` once it has closed. */
  connection: RtspPeer | undefined;
  readonly release: (() => void)[];
  /** Of a session over UDP: resolve to true when a port of a track is closed. */
  readonly probes: (() => Promise<boolean | undefined>)[];
  probedAt: Instant;
  endedTimer: NodeJS.Timeout | undefined;
}

/** The sessions of an RTSP server: their places, routes and ends. */
export class RtspSessions {
  readonly #options: RtspSessionsOptions;
  readonly #entries = new Map<string, Entry>();
  /** Receivers of the packets on a connection's channels. */
  readonly #channels = new WeakMap<RtspPeer, Map<number, (packet: Uint8Array) => void>>();
  #isClosed = false;

  constructor(options: RtspSessionsOptions) {
    this.#options = options;
  }

  get all(): readonly PlayerSession[] {
    return [...this.#entries.values()].map(({ session }) => session);
  }

  /** Returns the session that a request on this connection names. */
  session(id: string, connection: RtspPeer): PlayerSession | undefined {
    const entry = this.#entries.get(id);
    // The identifier is a secret; that of another network's player is none of it.
    if (!entry || networkOf(entry.session.address) !== networkOf(connection.address)) return undefined;
    // A session is not bound to a connection: the last one controls the session (RFC 2326 §1.1).
    if (entry.session.lower === 'udp') entry.connection = connection;
    return entry.session;
  }

  /** True when there is a session with this identifier. */
  has(id: string): boolean {
    return this.#entries.has(id);
  }

  /** True when a session is controlled from this connection. */
  uses(connection: RtspPeer): boolean {
    return [...this.#entries.values()].some((entry) => entry.connection === connection);
  }

  /** Makes a place for a player, or returns why there is none. */
  open(connection: RtspPeer, lower: 'udp' | 'tcp', latency: Microseconds): PlayerSession | RefusedSession {
    // Requests are answered until all connections have closed.
    if (this.#isClosed) return STOPPED;
    const { live, tracks, rotation, limits } = this.#options;
    const { peer, address } = connection;
    const placement = placeFor(address, this.all, limits);
    if ('refused' in placement) return placement;
    if (placement.evict) this.end(placement.evict, 'evicted: it did not play, and the server is full');
    const { codec, parameterSets } = tracks[VIDEO_TRACK]!;
    const { backlogBudget } = live;
    if (lower === 'tcp') backlogBudget.add(connection);
    const backlogAge = () => {
      if (lower === 'udp') return microseconds(0);
      return backlogBudget.isExceeded(connection) ? microseconds(Number.POSITIVE_INFINITY) : connection.backlogAge;
    };
    const onEnded = () => {
      const entry = this.#entries.get(session.id);
      if (entry) entry.endedTimer = setTimeout(() => this.#conclude(session, 'end of stream'), ENDED_MS);
    };
    const own = { live, codec, parameterSets, rotation, lower, peer, address, latency, backlogAge, onEnded };
    const session: PlayerSession = new PlayerSession({ ...own, joinUnitsMin: EXAMINED_PICTURES });
    this.#entries.set(session.id, {
      ...{ session, connection, release: [], probes: [] },
      ...{ probedAt: session.joinedAt, endedTimer: undefined },
    });
    live.add(session);
    this.#options.onJoined(session);
    return session;
  }

  /** Sets up a track; `undefined` when ports or channels are not available. */
  route(
    session: PlayerSession,
    connection: RtspPeer,
    index: number,
    offer: TransportOffer,
  ): ChosenTransport | undefined {
    const entry = this.#entries.get(session.id);
    const track = this.#options.tracks[index];
    if (!entry || !track) return undefined;
    const found = offer.lower === 'tcp' ? this.#interleave(entry, index, offer) : this.#address(entry, index, offer);
    if (!found) return undefined;
    entry.connection = connection;
    const made = new PlayerTrack({
      parameters: playerStream(track, this.#options),
      settings: {
        cname: session.cname,
        // Players send no report from which the capacity of the path could be learnt.
        rate: () => new UnlimitedRate(),
        // Nothing is paced over TCP.
        ...(offer.lower === 'tcp' && { spreadMax: microseconds(0) }),
      },
      transmit: (packets) => {
        found.send(packets);
        session.checkEnded();
      },
      onKeyFrameWanted: () => this.#options.live.requestKeyFrame(session),
      onFault: (line) => {
        this.#options.onFault(session, line);
        this.end(session, 'internal error of the sender');
      },
    });
    session.tracks.set(index, made);
    return { ...found.transport, ssrc: made.ssrc };
  }

  /** True when this connection's packets can carry the session. */
  carries(session: PlayerSession, connection: RtspPeer): boolean {
    return session.lower === 'udp' || this.#entries.get(session.id)?.connection === connection;
  }

  /** A packet has arrived on a channel of a connection. */
  receive(connection: RtspPeer, channel: number, packet: Uint8Array): void {
    this.#channels.get(connection)?.get(channel)?.(packet);
  }

  /** A connection has closed: what it carried ends, and what it controlled may be taken over by another. */
  forget(connection: RtspPeer): void {
    this.#options.live.backlogBudget.delete(connection);
    for (const entry of this.#entries.values()) {
      if (entry.connection !== connection) continue;
      entry.connection = undefined;
      if (entry.session.lower === 'tcp') this.end(entry.session, 'the connection closed');
    }
  }

  /** Ends sessions whose players are silent; over UDP their media stops before. */
  checkTimeouts(at: Instant): void {
    for (const entry of this.#entries.values()) {
      const { session, connection } = entry;
      const limit = connection ? SESSION_TIMEOUT : ORPHAN_TIMEOUT;
      if (elapsed(session.heardAt, at) > limit) this.#conclude(session, `silent for ${limit / 1e6} s`);
      else if (session.lower === 'udp') {
        if (elapsed(session.consentAt, at) > CONSENT_TIMEOUT) session.suspend();
        this.#tryPorts(at, entry);
      }
    }
  }

  /** Ends a session over UDP when a port of its player is closed, as ICMP tells, though its connection lives on. */
  #tryPorts(at: Instant, entry: Entry): void {
    const { session, probes } = entry;
    const { reportedAt } = session;
    const since = elapsed(instant(Math.max(reportedAt, entry.probedAt)), at);
    if (!session.isPlaying || since <= PROBE_INTERVAL) return;
    entry.probedAt = at;
    for (const probe of probes) {
      void probe().then((isClosed) => {
        if (isClosed === undefined) entry.probedAt = reportedAt;
        if (isClosed && session.reportedAt === reportedAt) this.#conclude(session, 'its UDP port is closed');
      });
    }
  }

  /** Ends a session, and its connection where nothing else is controlled from it and the player has not asked for it. */
  #conclude(session: PlayerSession, cause: string): void {
    const connection = this.#entries.get(session.id)?.connection;
    this.end(session, cause);
    if (connection && !this.uses(connection)) void connection.close();
  }

  end(session: PlayerSession, cause: string): void {
    const entry = this.#entries.get(session.id);
    if (!entry) return;
    this.#entries.delete(session.id);
    clearTimeout(entry.endedTimer);
    for (const release of entry.release) release();
    session.close();
    this.#options.onLeft(session, cause);
    this.#options.live.delete(session);
  }

  /** Ends all with BYE. There are no new ones afterwards. */
  close(): void {
    this.#isClosed = true;
    for (const session of this.all) {
      session.sayGoodbye();
      this.#conclude(session, 'the sender was stopped');
    }
  }

  #interleave({ session, connection, release }: Entry, index: number, { channels }: TransportOffer): Route | undefined {
    if (!connection) return undefined;
    const takers = this.#channels.get(connection) ?? new Map<number, (packet: Uint8Array) => void>();
    this.#channels.set(connection, takers);
    const isFree = ([rtp, rtcp]: PacketPair) => rtp !== rtcp && !takers.has(rtp) && !takers.has(rtcp);
    const pair = channels && isFree(channels) ? channels : freePair(isFree);
    if (!pair) return undefined;
    const [rtp, rtcp] = pair;
    const taker = (packet: Uint8Array) => session.receive(index, packet);
    takers.set(rtcp, taker).set(rtp, () => session.heard());
    release.push(() => {
      takers.delete(rtp);
      takers.delete(rtcp);
    });
    return {
      transport: { lower: 'tcp', channels: pair },
      send: (packets) => connection.sendPackets(pair, packets),
    };
  }

  #address({ session, release, probes }: Entry, index: number, { clientPorts }: TransportOffer): Route | undefined {
    const ports = this.#options.ports();
    if (!ports || !clientPorts) return undefined;
    const { address } = session;
    const taker = (packet: Uint8Array) => session.receive(index, packet);
    if (!ports.take(address, clientPorts[1], taker)) return undefined;
    release.push(() => ports.release(address, clientPorts[1], taker));
    probes.push(() => ports.isClosed(address, clientPorts[0]));
    return {
      transport: { lower: 'udp', clientPorts, serverPorts: ports.pair },
      send: (packets) => ports.send(address, clientPorts, packets),
    };
  }
}

type Without<Union, Key extends PropertyKey> = Union extends unknown ? Omit<Union, Key> : never;

interface Route {
  readonly transport: Without<ChosenTransport, 'ssrc'>;
  readonly send: (packets: readonly Uint8Array[]) => void;
}

function freePair(isFree: (pair: PacketPair) => boolean): PacketPair | undefined {
  for (let rtp = 0; rtp + 1 < CHANNELS; rtp += 2) if (isFree([rtp, rtp + 1])) return [rtp, rtp + 1];
  return undefined;
}
