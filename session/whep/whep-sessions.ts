import { now } from '../../io/os/clock.ts';
import { causeOf } from '../../io/os/failure.ts';
import type { Peer, Peers } from '../../io/webrtc/peers.ts';
import { elapsed, type Instant, type Microseconds, microseconds, seconds } from '../../protocol/base/units.ts';
import type { JoinableUnitsOptions } from '../../protocol/codec/joinable-units.ts';
import { chooseFormat, type SentFormat } from '../../protocol/whep/format-choice.ts';
import { type AnsweredStream, plainOffer, writeSessionAnswer } from '../../protocol/whep/session-answer.ts';
import type { SessionOffer } from '../../protocol/whep/session-offer.ts';
import type { HistoryBudget } from '../../sender/history-budget.ts';
import { UnlimitedRate } from '../../sender/rate/unlimited-rate.ts';
import { type JoinedStream, PlayerSession, VIDEO_TRACK } from '../player/player-session.ts';
import { PlayerTrack, playerStream } from '../player/player-track.ts';
import { randomSsrc } from '../stream/identifiers.ts';
import type { PlaceLimits } from '../stream/place-limits.ts';
import { placeFor } from '../stream/places.ts';

/** The live stream, and the reason for which there is nothing to watch. */
export type WatchedStream = JoinedStream & { readonly failure: string | undefined };

export interface WhepSessionsOptions extends Pick<JoinableUnitsOptions, 'rotation'> {
  readonly live: WatchedStream;
  /** Pictures first, then the sound; a source of sound alone has that in their place. */
  readonly formats: readonly SentFormat[];
  readonly limits: PlaceLimits;
  /** Largest RTP packet, bytes. */
  readonly datagramBytesMax: number;
  readonly historyBudget: HistoryBudget;
  readonly peers: () => Peers;
  readonly onJoined: (session: PlayerSession, formats: readonly string[]) => void;
  /** @param joined false for one that has never been connected. */
  readonly onLeft: (session: PlayerSession, cause: string, joined: boolean) => void;
  /** An internal error has ended a session. */
  readonly onFault: (session: PlayerSession, line: string) => void;
}

/** Player that asks for a session. */
export interface WhepClient {
  /** Address and port of the player, as text. */
  readonly peer: string;
  readonly address: string;
  /** Address of this machine, as the player reaches it. */
  readonly localAddress: string;
  /** True when the connection of the request has closed. */
  readonly isGone: () => boolean;
}

/** Session that was made, or the reason for which there is none. */
export type WhepOutcome =
  | { readonly kind: 'created'; readonly id: string; readonly answer: string }
  | { readonly kind: 'refused'; readonly why: string; readonly retrySeconds?: number }
  | { readonly kind: 'no-common-codec'; readonly why: string }
  /** An error of this program or its library, which the offer has not caused: it is well-formed. */
  | { readonly kind: 'failed'; readonly why: string };

/** Time for ICE and DTLS, as browsers give it; until then the place can be taken by another. */
const CONNECTING_MAX: Microseconds = seconds(30);
/** Silence after which a player is gone, as for consent (RFC 7675 §5.1): browsers report every second, and may close without a word. */
const SILENCE_MAX: Microseconds = seconds(30);
/** Time between BYE and the end of the connection, milliseconds. */
const ENDED_MS = 1_000;
/** Cause of the end of a session that its player has ended. */
export const DELETED = 'DELETE';
/** Loss recovery is by NACK; packets wait for nothing but the pacer. */
const NO_BACKLOG = microseconds(0);

interface Entry {
  readonly session: PlayerSession;
  readonly peer: Peer;
  readonly ufrag: string;
  readonly openedAt: Instant;
  isConnected: boolean;
  endedTimer: NodeJS.Timeout | undefined;
}

/** The sessions of a WHEP server: offers and answers, places and ends. */
export class WhepSessions {
  readonly #options: WhepSessionsOptions;
  readonly #entries = new Map<string, Entry>();
  #isClosed = false;

  constructor(options: WhepSessionsOptions) {
    this.#options = options;
  }

  /** Sessions whose players are connected. */
  get connected(): readonly PlayerSession[] {
    return [...this.#entries.values()].filter(({ isConnected }) => isConnected).map(({ session }) => session);
  }

  /** ICE user name of the player in a session; `undefined` when there is no such session. */
  ufragOf(id: string): string | undefined {
    return this.#entries.get(id)?.ufrag;
  }

  /** Answers an offer. */
  open(client: WhepClient, offer: SessionOffer): WhepOutcome {
    const { live, formats, rotation, limits } = this.#options;
    // The body of an offer may come while the server closes.
    if (this.#isClosed) return { kind: 'refused', why: 'the sender stops' };
    if (client.isGone()) return { kind: 'refused', why: 'the connection closed' };
    const streams = this.#streamsFor(offer);
    if (!streams.has(VIDEO_TRACK)) return { kind: 'no-common-codec', why: this.#codecsText() };
    const placement = placeFor(client.address, this.#all, limits);
    if ('refused' in placement) return { kind: 'refused', why: placement.refused };
    const { codec, parameterSets } = formats[VIDEO_TRACK]!;
    const session: PlayerSession = new PlayerSession({
      ...{ live, codec, parameterSets, rotation, lower: 'udp', latency: NO_BACKLOG, backlogAge: () => NO_BACKLOG },
      peer: client.peer,
      address: client.address,
      onEnded: () => {
        const entry = this.#entries.get(session.id);
        if (entry) entry.endedTimer = setTimeout(() => this.end(session.id, 'end of stream'), ENDED_MS);
      },
    });
    let peer: Peer | undefined;
    try {
      peer = this.#connect(session, offer, streams);
      for (const [position, [index, stream]] of [...streams].entries()) {
        session.tracks.set(index, this.#track(session, peer, position, stream));
      }
      const answer = this.#answer(client, offer, [...streams.values()], { peer, session });
      if (placement.evict) this.end(placement.evict.id, 'evicted: it did not connect, and the server is full');
      const own = { session, peer, ufrag: offer.iceUfrag, openedAt: now(), isConnected: false };
      this.#entries.set(session.id, { ...own, endedTimer: undefined });
      this.#options.historyBudget.join();
      return { kind: 'created', id: session.id, answer };
    } catch (error) {
      session.close();
      peer?.close();
      return { kind: 'failed', why: causeOf(error) };
    }
  }

  /** Ends a session. Returns false when there is none. */
  end(id: string, cause: string): boolean {
    const entry = this.#entries.get(id);
    if (!entry) return false;
    const { session, peer, endedTimer, isConnected } = entry;
    this.#entries.delete(id);
    clearTimeout(endedTimer);
    session.close();
    peer.close();
    this.#options.historyBudget.leave();
    this.#options.onLeft(session, cause, isConnected);
    this.#options.live.delete(session);
    return true;
  }

  get #all(): readonly PlayerSession[] {
    return [...this.#entries.values()].map(({ session }) => session);
  }

  /** Ends all sessions that are connected; the others end when they are, as their players hear of it only then. */
  endConnected(cause: string): void {
    for (const [id, { isConnected }] of this.#entries) if (isConnected) this.end(id, cause);
  }

  /** Ends sessions that do not connect, or whose players are silent. */
  checkTimeouts(at: Instant): void {
    for (const [id, { session, isConnected, openedAt }] of this.#entries) {
      if (!isConnected && elapsed(openedAt, at) > CONNECTING_MAX) {
        this.end(id, `timeout: no connection within ${CONNECTING_MAX / 1e6} s`);
      } else if (isConnected && elapsed(session.heardAt, at) > SILENCE_MAX) {
        this.end(id, `silent for ${SILENCE_MAX / 1e6} s`);
      }
    }
  }

  /** Ends all with BYE. */
  close(): void {
    this.#isClosed = true;
    for (const session of this.#all) {
      session.sayGoodbye();
      this.end(session.id, 'the sender was stopped');
    }
  }

  /** Returns the streams in the order of the tracks, each with its medium of the offer. */
  #streamsFor(offer: SessionOffer): Map<number, AnsweredStream> {
    const streams = new Map<number, AnsweredStream>();
    const { datagramBytesMax, formats } = this.#options;
    for (const [index, sent] of formats.entries()) {
      for (const [media, offered] of offer.media.entries()) {
        const format = chooseFormat(offered, sent);
        if (!format || [...streams.values()].some((stream) => stream.media === media)) continue;
        const { payloadType, retransmissionPayloadType: retransmission } = format;
        const parameters = playerStream({ ...sent, payloadType }, { datagramBytesMax, retransmission });
        streams.set(index, { media, format, parameters });
        break;
      }
    }
    return streams;
  }

  #codecsText(): string {
    const { formats } = this.#options;
    const names = formats.map(({ codec }) => codec.session?.encodingName ?? codec.name);
    return `the stream is ${names.join(' and ')}, which the offer does not receive in one bundle`;
  }

  #connect(session: PlayerSession, offer: SessionOffer, tracks: ReadonlyMap<number, AnsweredStream>): Peer {
    const [indexes, streams] = [[...tracks.keys()], [...tracks.values()]];
    return this.#options.peers().connect({
      offer: plainOffer(offer, streams),
      cname: session.cname,
      streams: streams.map(({ format: { payloadType }, parameters: { codec, ssrc, retransmission } }) => ({
        kind: codec.mediaType,
        payloadType,
        encodingName: codec.session!.encodingName,
        ssrcs: [ssrc, ...(retransmission ? [retransmission.ssrc] : [])],
      })),
      onOpen: () => {
        const entry = this.#entries.get(session.id);
        if (!entry) return;
        const { failure } = this.#options.live;
        // Not from within the library's own call, which crashes.
        if (failure !== undefined) return void setImmediate(() => this.end(session.id, failure));
        entry.isConnected = true;
        session.heard();
        this.#options.onJoined(
          session,
          streams.map(({ parameters: { codec } }) => codec.name),
        );
        // Not before: an offer alone starts no encoder and keeps none running.
        this.#options.live.add(session);
        session.play();
      },
      onClosed: (cause) => void this.end(session.id, cause),
      onFeedback: (stream, packet) => session.receive(indexes[stream]!, packet),
    });
  }

  #track(session: PlayerSession, peer: Peer, position: number, { parameters }: AnsweredStream): PlayerTrack {
    const { historyBudget } = this.#options;
    const isSound = parameters.codec.mediaType === 'audio';
    return new PlayerTrack({
      parameters,
      // The capacity of a path is measured with the pictures, which are most of the bytes.
      settings: { cname: session.cname, historyBudget, ...(isSound && { rate: () => new UnlimitedRate() }) },
      transmit: (packets) => {
        peer.send(position, packets);
        session.checkEnded();
      },
      onKeyFrameWanted: () => this.#options.live.requestKeyFrame(session),
      onFault: (line) => {
        this.#options.onFault(session, line);
        this.end(session.id, 'internal error of the sender');
      },
    });
  }

  #answer(
    client: WhepClient,
    offer: SessionOffer,
    streams: readonly AnsweredStream[],
    { peer: { transport }, session: { cname } }: Pick<Entry, 'peer' | 'session'>,
  ): string {
    const { port } = this.#options.peers();
    // First the address that the player has reached already.
    const local = client.localAddress.replace(/^::ffff:/i, '');
    const addresses = [...new Set([local, ...transport.addresses])];
    const candidates = addresses.map((address) => ({ address, port }));
    return writeSessionAnswer(offer, streams, {
      transport: { ...transport, candidates },
      cname,
      version: randomSsrc(),
    });
  }
}
