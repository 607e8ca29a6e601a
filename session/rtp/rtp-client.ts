import { bracketed } from '../../io/net/control-server.ts';
import { now } from '../../io/os/clock.ts';
import { Failure } from '../../io/os/failure.ts';
import { reportFault } from '../../io/os/fault-report.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { inMilliseconds, microseconds, milliseconds } from '../../protocol/base/units.ts';
import { codecTitle } from '../../protocol/codec/codec-title.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import { MEND_MS_DEFAULT } from '../../protocol/control/latency-limit.ts';
import type { WireTimestamp } from '../../protocol/rtp/sequence.ts';
import { NO_FEEDBACK } from '../../protocol/sdp-feedback.ts';
import { streamParameters } from '../../protocol/stream-parameters.ts';
import type { ReceiverEvent } from '../../receiver/receiver.ts';
import { type ReceiverOptions, receiverOptions } from '../../receiver/receiver-options.ts';
import type { ReceiverStatistics } from '../../receiver/receiver-statistics.ts';
import {
  type Client,
  type ClientEnd,
  type ClientEvents,
  type ClientSessionCause,
  type HostFaults,
  type SoundRecord,
  sumHostFaults,
} from '../stream/client.ts';
import { FinishedSessions } from '../stream/finished-sessions.ts';
import { randomCname, randomSsrc } from '../stream/identifiers.ts';
import { JoinedTimeline } from '../stream/joined-timeline.ts';
import { PictureWatch } from './picture-watch.ts';
import { resolveRtpAddress } from './rtp-address.ts';
import type { RtpClientOptions } from './rtp-client-options.ts';
import { RtpIntake } from './rtp-intake.ts';
import { RtpPath } from './rtp-path.ts';
import { announcementOf, RtpSound } from './rtp-sound.ts';
import { RtpSync } from './rtp-sync.ts';

/** More packets than a picture has, as a rule. */
const STANDING_PACKETS = 50;
const TICK_MS = 250;
/** Time for another stream to start after a BYE, milliseconds. */
const SUCCESSOR_MS = 2_000;
/** Silence after which a message is shown, milliseconds. */
const SILENCE_MS = 3_000;

/** Receives plain RTP from other programs: pictures, one stream after another, and the sound beside them. */
export class RtpClient implements Client {
  readonly segments = undefined;
  readonly modeledTcp = undefined;
  readonly stalledFor = microseconds(0);
  readonly #options: RtpClientOptions;
  readonly #events: ClientEvents;
  readonly #path: RtpPath;
  readonly #intake: RtpIntake;
  readonly #finished = new FinishedSessions();
  readonly #timeline = new JoinedTimeline();
  readonly #pictures: PictureWatch;
  readonly #sync = new RtpSync();
  readonly #cname = randomCname();
  #sound: RtpSound | undefined;
  #datagrams = 0;
  #lastPayloadType: number | undefined;
  /** RTP timestamps so far, and the packets that had them. */
  #clock: { readonly first: number; readonly moves: boolean; readonly packets: number } | undefined;
  #lastMediaAt: number = inMilliseconds(now());
  #endedAt: number | undefined;
  #silenceReported = false;
  #finish: ((end: ClientEnd) => void) | undefined;
  #stopped = false;

  constructor(options: RtpClientOptions, events: ClientEvents) {
    this.#options = options;
    this.#events = events;
    this.#pictures = new PictureWatch(options.codecName, options.name, options.parameterSets);
    if (options.sound && announcementOf(options.sound)) {
      this.#sound = new RtpSound({ ...options, ...options.sound, cname: this.#cname }, this.#sync, {
        onDatagram: events.onDatagram,
        onFault: events.onWaiting,
        onUnit: (unit) => {
          if (this.#timeline.started) this.#events.onSound?.(this.#timeline.shift(unit, 'sound'));
        },
      });
    }
    this.#path = new RtpPath({
      link: options.link,
      onDatagram: (direction, datagram) => this.#events.onDatagram(direction, datagram),
      onArrival: (datagram) => this.#handIn(datagram),
    });
    this.#intake = new RtpIntake({
      codec: codecByName(options.codecName),
      payloadType: options.payloadType,
      receiverOptions: ({ timestamp }) => this.#receiving(timestamp),
      transmit: (datagrams) => this.#path.send(datagrams),
      onPacket: ({ payloadType, timestamp }, { retransmission }) => {
        this.#lastPayloadType = payloadType;
        if (!retransmission) this.#noteClock(timestamp);
      },
      onBegin: ({ timestamp }) => this.#begin(timestamp),
      onReport: (ntp, timestamp) => this.#sync.reportPictures(ntp, timestamp),
      onEvent: (event) => this.#handleEvent(event),
      onEnd: (statistics) => this.#finished.add({ statistics }),
      onFault: ({ error, datagrams }, options) => {
        this.#events.onWaiting(reportFault({ where: 'receiver', error, details: { options, datagrams } }));
      },
    });
  }

  get sessions(): readonly ReceiverStatistics[] {
    const { session } = this.#intake;
    return session ? [...this.#finished.rows, session.receiver.statistics] : this.#finished.rows;
  }

  get sessionCount(): number {
    return this.#finished.count + (this.#intake.session ? 1 : 0);
  }

  get sound(): SoundRecord | undefined {
    return this.#sound?.record;
  }

  get transports(): readonly 'rtp'[] {
    return this.sessions.map(() => 'rtp');
  }

  get sessionCauses(): readonly ClientSessionCause[] {
    return this.sessions.map((_, index) => (index === 0 ? 'first' : 'source-restarted'));
  }

  /** Plain RTP is not encrypted. */
  readonly encrypted = false;

  get hostFaults(): HostFaults {
    return sumHostFaults(
      this.#path.receiveDrops.map((drops) => ({
        drops,
        refusedHere: 0,
        refusedBySender: 0,
        notAuthentic: undefined,
      })),
    );
  }

  async run(): Promise<ClientEnd> {
    const { name, host, port, rtcpPort = port + 1, reportTo } = this.#options;
    const { address } = await resolveRtpAddress(name, host, 'receive');
    let ticker: NodeJS.Timeout | undefined;
    try {
      await this.#path.open({ host: address, port, rtcpPort, reportTo });
      await this.#openSound(address);
      if (this.#stopped) return 'stopped';
      this.#lastMediaAt = inMilliseconds(now());
      this.#events.onWaiting(`waiting for RTP at ${bracketed(address)}:${port}`);
      return await new Promise<ClientEnd>((resolve, reject) => {
        this.#finish = resolve;
        ticker = setInterval(() => {
          try {
            this.#tick();
          } catch (error) {
            reject(error);
          }
        }, TICK_MS);
      });
    } finally {
      clearInterval(ticker);
      this.#intake.end();
      this.#path.close();
      this.#sound?.close();
    }
  }

  stop(): void {
    this.#stopped = true;
    const { session } = this.#intake;
    session?.driver.attempt(() => session.receiver.finish(now()));
    session?.driver.drain();
    this.#finish?.('stopped');
  }

  setPlaying(): void {
    // There is no way to pause another program's sender.
  }

  requestKeyFrame(): void {
    const { session } = this.#intake;
    session?.driver.attempt(() => session.receiver.requestKeyFrame(now()));
    session?.driver.drain();
  }

  /** Opens the ports of the sound; the pictures are received without it when they cannot be opened. */
  async #openSound(address: string): Promise<void> {
    const { name, host, port } = this.#options;
    try {
      await this.#sound?.open({ name, host, address, port, send: (datagrams) => this.#path.send(datagrams) });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#events.onWaiting(`the sound is not received: ${error.message}`);
      this.#sound?.close();
      this.#sound = undefined;
    }
  }

  #handIn(datagram: Uint8Array): void {
    this.#datagrams++;
    if (!this.#sound?.takeShared(datagram)) this.#intake.receive(datagram);
  }

  #noteClock(timestamp: number): void {
    const { first, moves, packets } = this.#clock ?? { first: timestamp, moves: false, packets: 0 };
    this.#clock = { first, moves: moves || timestamp !== first, packets: packets + 1 };
  }

  #receiving(timestampBase: WireTimestamp): ReceiverOptions {
    const { latencyMs, recovery, release, onLoss, keyFrames = true, mendMs = MEND_MS_DEFAULT } = this.#options;
    const parameters = streamParameters({
      codec: codecByName(this.#options.codecName),
      ...this.#intake.source!,
      recovery,
      latency: milliseconds(latencyMs),
      frameMarks: false,
      timestampBase,
      mend: milliseconds(mendMs),
    });
    return {
      ...receiverOptions(parameters, { reportSsrc: randomSsrc(), cname: this.#cname, release, onLoss }),
      foreign: { keyFrames, retransmissionPayloadType: this.#options.retransmissionPayloadType },
    };
  }

  #begin(timestamp: WireTimestamp): void {
    this.#endedAt = undefined;
    this.#timeline.begin();
    this.#pictures.begin();
    this.#path.source = this.#intake.source!.ssrc;
    this.#sync.beginPictures(codecByName(this.#options.codecName).clockRate, { at: now(), timestamp });
    this.#announce();
  }

  #handleEvent(event: ReceiverEvent): void {
    switch (event.kind) {
      case 'access-unit':
        this.#pictures.observe(event.unit);
        this.#announce();
        // Without parameter sets no picture can be decoded.
        if (!this.#pictures.known) return;
        this.#lastMediaAt = inMilliseconds(now());
        this.#silenceReported = false;
        this.#take(this.#timeline.shift(event.unit, 'shown'), event);
        return;
      case 'dropped':
        return this.#events.onDrop(event);
      case 'ended':
        this.#endedAt = inMilliseconds(now());
        return;
      case 'malformed':
        return;
      default:
        event satisfies never;
    }
  }

  #take(unit: AccessUnit, how: { readonly decodeOnly: boolean }): void {
    this.#events.onUnit(unit, how);
    this.#events.onRecordedUnit(unit);
  }

  #announce(): void {
    const news = this.#pictures.takeNews();
    if (!news) return;
    const { codecName, latencyMs, sound: described, retransmissionPayloadType: again } = this.#options;
    const codec = codecByName(codecName);
    const stream = {
      codec,
      clockRate: codec.clockRate,
      parameterSets: news.parameterSets,
      payloadType: this.#intake.source!.payloadType,
      ...(again !== undefined && { retransmission: { payloadType: again }, feedback: NO_FEEDBACK }),
    };
    const sound = this.#sound && announcementOf(described!);
    const streams = sound ? [stream, { ...described!, codec: codecByName(sound.codecName) }] : [stream];
    this.#events.onStream({ ...news, sound, latencyMs, position: 'live' }, streams);
  }

  #tick(): void {
    const { timeoutMs } = this.#options;
    const { session } = this.#intake;
    session?.driver.attempt(() => session.receiver.assertBalanced());
    if (this.#endedAt !== undefined) {
      if (inMilliseconds(now()) - this.#endedAt < Math.min(SUCCESSOR_MS, timeoutMs)) return;
      if (this.#timeline.started) return this.#finish?.('end-of-stream');
      throw new Failure(`${this.#options.name}: ${this.#noPictureCause()}`);
    }
    const silentMs = inMilliseconds(now()) - this.#lastMediaAt;
    if (silentMs > timeoutMs) {
      // Many senders stop without a BYE.
      if (this.#timeline.started) return this.#finish?.('sender-stopped');
      throw new Failure(`${this.#options.name}: ${this.#noPictureCause()}`);
    }
    if (silentMs > SILENCE_MS && this.#timeline.started && !this.#silenceReported) {
      this.#silenceReported = true;
      this.#events.onWaiting(`no picture for ${SILENCE_MS / 1_000} s`);
    }
  }

  /** Returns why there was no picture before the timeout. */
  #noPictureCause(): string {
    const { timeoutMs, latencyMs, payloadType, codecName } = this.#options;
    const { title, parameterSetNames } = codecTitle(codecByName(codecName));
    if (this.#datagrams === 0) {
      return `timeout: nothing received for ${timeoutMs / 1_000} s. Is the sender running, and does it send to this address?`;
    }
    const clock = this.#clock;
    if (clock !== undefined && !clock.moves && clock.packets >= STANDING_PACKETS) {
      const seen = `${clock.packets} RTP packets arrived, all with the timestamp ${clock.first}`;
      return `${seen}: pictures cannot be separated: the sender must advance RTP timestamps`;
    }
    if (this.#intake.session || this.#finished.count > 0) {
      if (timeoutMs <= latencyMs) {
        return `timeout: no picture is due within ${timeoutMs / 1_000} s, as the latency is ${latencyMs} ms`;
      }
      const why = this.#pictures.known ? 'no key frame' : `no key frame with parameter sets (${parameterSetNames})`;
      return `RTP was received, but ${why}. If the stream is ${title}, use the sender's SDP file instead`;
    }
    const found = this.#lastPayloadType === undefined ? 'no RTP' : `RTP of payload type ${this.#lastPayloadType}`;
    const wanted =
      payloadType === undefined ? `${title} under a payload type from 96 on` : `${title} under ${payloadType}`;
    return `received ${found} instead of ${wanted}`;
  }
}
