import { Failure } from '../../io/os/failure.ts';
import { streamedInput } from '../../io/sources/live-input.ts';
import type { MediaSource } from '../../io/sources/media-source.ts';
import { openLive } from '../../io/sources/open-live.ts';
import { microseconds } from '../../protocol/base/units.ts';
import type { ReceiverStatistics } from '../../receiver/receiver-statistics.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { resolveRtpAddress } from '../rtp/rtp-address.ts';
import {
  type Client,
  type ClientEnd,
  type ClientEvents,
  type ClientSessionCause,
  type HostFaults,
  sumHostFaults,
} from '../stream/client.ts';
import { RistFeed } from './rist-feed.ts';

export interface RistClientOptions {
  /** Name given by the user. */
  readonly name: string;
  /** Address of this machine. */
  readonly host: string;
  /** Port of RTP, an even number; RTCP uses the next one. */
  readonly port: number;
  readonly latencyMs: number;
  /** `nack`: request missing packets. */
  readonly recovery: 'none' | 'reorder' | 'nack';
  /** Impairment of the path, in both directions. */
  readonly link: LinkSpecification | undefined;
  /** Time without media that ends the run, milliseconds. */
  readonly timeoutMs: number;
}

/** Bit rate of pictures whose codec is not carried, such as MPEG-2, bits per second. */
const ENCODED_BITRATE = 4_000_000;
const NO_FRAMES = {
  ...{ onTime: 0, recovered: 0, late: 0, mended: 0, overdue: 0, incomplete: 0, neverArrived: 0, undecodable: 0 },
  decided: 0,
} as const;

/**
 * Receives a stream by RIST Simple Profile. Its pictures are found by ffmpeg; those that a lost packet damages cannot be
 * told from others.
 */
export class RistClient implements Client {
  readonly segments = undefined;
  readonly modeledTcp = undefined;
  readonly stalledFor = microseconds(0);
  /** The simple profile is not encrypted. */
  readonly encrypted = false;
  readonly #options: RistClientOptions;
  readonly #events: ClientEvents;
  #feed: RistFeed | undefined;
  #source: MediaSource | undefined;
  #pictures = 0;
  #stopped = false;

  constructor(options: RistClientOptions, events: ClientEvents) {
    this.#options = options;
    this.#events = events;
  }

  /** Packets as received, and pictures as demuxed. */
  get sessions(): readonly ReceiverStatistics[] {
    const sessions = this.#feed?.reception.sessions ?? [];
    const shown = { ...NO_FRAMES, onTime: this.#pictures, decided: this.#pictures };
    return sessions.map((session, index) => ({
      ...session,
      frames: index === sessions.length - 1 ? shown : NO_FRAMES,
    }));
  }

  get sessionCount(): number {
    return this.#feed?.reception.sessionCount ?? 0;
  }

  get transports(): readonly 'rtp'[] {
    return this.sessions.map(() => 'rtp');
  }

  get sessionCauses(): readonly ClientSessionCause[] {
    return this.sessions.map((_, index) => (index === 0 ? 'first' : 'source-restarted'));
  }

  get hostFaults(): HostFaults {
    const none = { refusedHere: 0, refusedBySender: 0, notAuthentic: undefined };
    return sumHostFaults((this.#feed?.reception.receiveDrops ?? []).map((drops) => ({ drops, ...none })));
  }

  async run(): Promise<ClientEnd> {
    const { name, port, latencyMs, recovery, link, timeoutMs } = this.#options;
    const { address: host } = await resolveRtpAddress(name, this.#options.host, 'receive');
    const { onDatagram, onWaiting } = this.#events;
    const requests = recovery === 'nack';
    const times = { latencyMs, goneMs: timeoutMs, beginsWithinMs: timeoutMs };
    const feed = await RistFeed.open({ host, port, requests, link, onDatagram, ...times });
    this.#feed = feed;
    if (this.#stopped) feed.stop();
    else onWaiting(`waiting for RIST (simple profile) at ${name}`);
    try {
      await this.#play(feed);
      return this.#stopped ? 'stopped' : 'end-of-stream';
    } catch (error) {
      if (this.#stopped) return 'stopped';
      throw this.#pictures === 0 && feed.hasEnded ? new Failure(`${name}: ${this.#noPictureCause(error)}`) : error;
    } finally {
      await this.#source?.close();
      feed.stop();
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#feed?.stop();
    void this.#source?.close();
  }

  setPlaying(): void {
    // There is no way to pause another program's sender.
  }

  requestKeyFrame(): void {
    // The profile has no such request.
  }

  async #play(feed: RistFeed): Promise<void> {
    const { name } = this.#options;
    const live = { ...streamedInput(async () => feed), returns: false };
    const say = (message: string): void => this.#events.onWaiting(message);
    const source = await openLive(name, live, {
      ...{ encode: 'auto', bitrate: ENCODED_BITRATE, gop: 30, sound: {} },
      ...{ warn: say, inform: say },
    });
    this.#source = source;
    this.#announce(source);
    for await (const unit of source.units()) {
      if (this.#stopped) return;
      this.#pictures++;
      this.#events.onUnit(unit, { decodeOnly: false });
      this.#events.onRecordedUnit(unit);
    }
  }

  #announce({ description }: MediaSource): void {
    const {
      name,
      codecName,
      codec,
      width,
      height,
      rotation,
      framesPerSecond = null,
      mode,
      parameterSets,
    } = description;
    const turned = rotation ? { rotation } : {};
    const media = { name, codec, width, height, ...turned, framesPerSecond, durationMs: null, mode };
    const { latencyMs } = this.#options;
    this.#events.onStream({ codecName, media, parameterSets, latencyMs, position: 'live' }, []);
  }

  #noPictureCause(error: unknown): string {
    const { timeoutMs } = this.#options;
    const { mediaAt, otherPayloadType } = this.#feed!.reception;
    if (mediaAt !== undefined) return (error as Error).message.replace(`${this.#options.name}: `, '');
    if (otherPayloadType !== undefined) return `RTP of payload type ${otherPayloadType} arrived instead of 33, MPEG-TS`;
    return (
      `timeout: no media for ${timeoutMs / 1_000} s. Does the sender use the simple profile (librist: --profile 0), ` +
      'and send to this address?'
    );
  }
}
