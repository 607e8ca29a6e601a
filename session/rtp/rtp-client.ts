import { bracketed } from '../../io/net/control-server.ts';
import { EndpointDriver } from '../../io/net/endpoint-driver.ts';
import { now } from '../../io/os/clock.ts';
import { Failure } from '../../io/os/failure.ts';
import { reportFault } from '../../io/os/fault-report.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { inMilliseconds, microseconds, milliseconds } from '../../protocol/base/units.ts';
import { codecTitle } from '../../protocol/codec/codec-title.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import { MEND_MS_DEFAULT } from '../../protocol/control/latency-limit.ts';
import { parseRtcp } from '../../protocol/rtcp/rtcp.ts';
import { classifyDatagram } from '../../protocol/rtp/multiplex.ts';
import { parseRtpPacket, type RtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { NO_FEEDBACK } from '../../protocol/sdp-feedback.ts';
import { streamParameters } from '../../protocol/stream-parameters.ts';
import { SourceLock } from '../../receiver/intake/source-lock.ts';
import { Receiver, type ReceiverEvent } from '../../receiver/receiver.ts';
import { receiverOptions } from '../../receiver/receiver-options.ts';
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
import { randomSsrc } from '../stream/identifiers.ts';
import { JoinedTimeline } from '../stream/joined-timeline.ts';
import { type ImpairedDirection, impairedPath } from '../stream/media-path.ts';
import { PictureWatch } from './picture-watch.ts';
import { resolveRtpAddress } from './rtp-address.ts';
import type { RtpClientOptions } from './rtp-client-options.ts';
import { RtpPorts } from './rtp-ports.ts';
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
  readonly #watch: SourceLock;
  readonly #finished: ReceiverStatistics[] = [];
  readonly #timeline = new JoinedTimeline();
  readonly #pictures: PictureWatch;
  readonly #link: { readonly forward: ImpairedDirection; readonly back: ImpairedDirection } | undefined;
  readonly #sync = new RtpSync();
  #sound: RtpSound | undefined;
  #ports: RtpPorts | undefined;
  #session: { readonly receiver: Receiver; readonly driver: EndpointDriver<ReceiverEvent> } | undefined;
  /** Packets that may begin another stream. */
  #held: Uint8Array[] = [];
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
    this.#watch = new SourceLock(codecByName(options.codecName), options.payloadType);
    this.#pictures = new PictureWatch(options.codecName, options.name, options.parameterSets);
    if (options.sound && announcementOf(options.sound)) {
      this.#sound = new RtpSound({ ...options, ...options.sound }, this.#sync, {
        onDatagram: events.onDatagram,
        onUnit: (unit) => {
          if (this.#timeline.started) this.#events.onSound?.(this.#timeline.shiftSound(unit));
        },
      });
    }
    if (options.link) {
      this.#link = impairedPath(options.link, {
        toReceiver: (datagram) => this.#handIn(datagram),
        toSender: (datagram) => this.#ports?.send(datagram),
      });
    }
  }

  get sessions(): readonly ReceiverStatistics[] {
    return this.#session ? [...this.#finished, this.#session.receiver.statistics] : this.#finished;
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
      (this.#ports?.receiveDrops ?? []).map((drops) => ({
        drops,
        refusedHere: 0,
        refusedBySender: 0,
        notAuthentic: undefined,
      })),
    );
  }

  async run(): Promise<ClientEnd> {
    const { name, host, port } = this.#options;
    const { address } = await resolveRtpAddress(name, host, 'receive');
    let ticker: NodeJS.Timeout | undefined;
    try {
      await this.#open(address, port);
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
      this.#closeSession();
      this.#link?.forward.close();
      this.#link?.back.close();
      this.#ports?.close();
      this.#sound?.close();
    }
  }

  stop(): void {
    this.#stopped = true;
    const session = this.#session;
    session?.driver.attempt(() => session.receiver.finish(now()));
    session?.driver.drain();
    this.#finish?.('stopped');
  }

  setPlaying(): void {
    // There is no way to pause another program's sender.
  }

  requestKeyFrame(): void {
    const session = this.#session;
    session?.driver.attempt(() => session.receiver.requestKeyFrame(now()));
    session?.driver.drain();
  }

  async #open(host: string, port: number): Promise<void> {
    const { rtcpPort = port + 1, reportTo } = this.#options;
    this.#ports = new RtpPorts({
      host,
      port,
      rtcpPort,
      reportTo,
      onDatagram: (datagram) => {
        this.#events.onDatagram('in', datagram);
        if (this.#link) this.#link.forward.send(datagram);
        else this.#handIn(datagram);
      },
    });
    await this.#ports.open();
  }

  /** Opens the ports of the sound; the pictures are received without it when they cannot be opened. */
  async #openSound(address: string): Promise<void> {
    const { name, host, port } = this.#options;
    try {
      await this.#sound?.open({ name, host, address, port, send: (datagrams) => this.#sendBack(datagrams) });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      this.#events.onWaiting(`the sound is not received: ${error.message}`);
      this.#sound?.close();
      this.#sound = undefined;
    }
  }

  #sendBack(datagrams: readonly Uint8Array[]): void {
    for (const datagram of datagrams) {
      this.#events.onDatagram('out', datagram);
      if (this.#link) this.#link.back.send(datagram);
      else this.#ports?.send(datagram);
    }
  }

  #handIn(datagram: Uint8Array): void {
    this.#datagrams++;
    if (this.#sound?.takeShared(datagram)) return;
    switch (classifyDatagram(datagram)) {
      case 'rtp':
        return this.#handRtp(datagram);
      case 'rtcp': {
        const packets = parseRtcp(datagram);
        for (const packet of packets.ok ? packets.value : []) {
          if (packet.kind === 'goodbye') this.#watch.handleGoodbye(packet.ssrcs);
          if (packet.kind !== 'sender-report' || packet.ssrc !== this.#watch.source?.ssrc) continue;
          this.#sync.reportPictures(packet.ntp, packet.rtpTimestamp);
        }
        return this.#session?.driver.receive(datagram);
      }
      case 'foreign':
        return this.#session?.driver.receive(datagram); // counts it
    }
  }

  #handRtp(datagram: Uint8Array): void {
    const packet = parseRtpPacket(datagram);
    if (!packet.ok) return this.#session?.driver.receive(datagram);
    this.#lastPayloadType = packet.value.payloadType;
    // A retransmission begins no stream, however long the stream has been silent.
    const again = this.#session?.receiver.retransmissionSsrc;
    if (again !== undefined && packet.value.ssrc === again) return this.#session?.driver.receive(datagram);
    this.#noteClock(packet.value.timestamp);
    const verdict = this.#watch.observe(now(), packet.value);
    if (verdict === 'held-also') return void this.#held.push(datagram);
    const held = this.#held;
    this.#held = verdict === 'held' ? [datagram] : [];
    // A session that broke an invariant is over; its stream continues in another.
    if (verdict === 'new' || (verdict === 'present' && !this.#session)) this.#begin(firstOf(held) ?? packet.value);
    for (const earlier of held) this.#session?.driver.receive(earlier);
    if (verdict !== 'held') this.#session?.driver.receive(datagram);
  }

  #noteClock(timestamp: number): void {
    const { first, moves, packets } = this.#clock ?? { first: timestamp, moves: false, packets: 0 };
    this.#clock = { first, moves: moves || timestamp !== first, packets: packets + 1 };
  }

  #begin({ timestamp }: Pick<RtpPacket, 'timestamp'>): void {
    this.#closeSession();
    this.#endedAt = undefined;
    this.#timeline.begin();
    this.#pictures.begin();
    const { latencyMs, recovery, release, onLoss, keyFrames = true, mendMs = MEND_MS_DEFAULT } = this.#options;
    const { ssrc, payloadType } = this.#watch.source!;
    if (this.#ports) this.#ports.source = ssrc;
    const parameters = streamParameters({
      codec: codecByName(this.#options.codecName),
      ssrc,
      payloadType,
      recovery,
      latency: milliseconds(latencyMs),
      frameMarks: false,
      timestampBase: timestamp,
      mend: milliseconds(mendMs),
    });
    const receiving = {
      ...receiverOptions(parameters, { reportSsrc: randomSsrc(), release, onLoss }),
      foreign: { keyFrames, retransmissionPayloadType: this.#options.retransmissionPayloadType },
    };
    const receiver = new Receiver(receiving);
    const driver = new EndpointDriver({
      endpoint: receiver,
      transmit: (datagrams) => this.#sendBack(datagrams),
      onEvent: (event) => this.#handleEvent(event),
      onFault: ({ error, datagrams }) => {
        const line = reportFault({ where: 'receiver', error, details: { options: receiving, datagrams } });
        this.#events.onWaiting(line);
        this.#closeSession();
      },
    });
    this.#session = { receiver, driver };
    this.#sync.beginPictures(parameters.clockRate, { at: now(), timestamp });
    this.#announce();
  }

  #closeSession(): void {
    const session = this.#session;
    if (!session) return;
    this.#session = undefined;
    session.driver.attempt(() => session.receiver.finish(now()));
    session.driver.attempt(() => session.receiver.leave(now()));
    session.driver.drain();
    session.driver.close();
    this.#finished.push(session.receiver.statistics);
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
        this.#take(this.#timeline.shift(event.unit), event);
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
      payloadType: this.#watch.source!.payloadType,
      ...(again !== undefined && { retransmission: { payloadType: again }, feedback: NO_FEEDBACK }),
    };
    const sound = this.#sound && announcementOf(described!);
    const streams = sound ? [stream, { ...described!, codec: codecByName(sound.codecName) }] : [stream];
    this.#events.onStream({ ...news, sound, latencyMs, position: 'live' }, streams);
  }

  #tick(): void {
    const { timeoutMs } = this.#options;
    const session = this.#session;
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
    const { timeoutMs, payloadType, codecName } = this.#options;
    const { title, parameterSetNames } = codecTitle(codecByName(codecName));
    if (this.#datagrams === 0) {
      return `timeout: nothing received for ${timeoutMs / 1_000} s. Is the sender running, and does it send to this address?`;
    }
    const clock = this.#clock;
    if (clock !== undefined && !clock.moves && clock.packets >= STANDING_PACKETS) {
      const seen = `${clock.packets} RTP packets arrived, all with the timestamp ${clock.first}`;
      return `${seen}: pictures cannot be separated: the sender must advance RTP timestamps`;
    }
    if (this.#session || this.#finished.length > 0) {
      const why = this.#pictures.known ? 'no key frame' : `no key frame with parameter sets (${parameterSetNames})`;
      return `RTP was received, but ${why}. If the stream is ${title}, use the sender's SDP file instead`;
    }
    const found = this.#lastPayloadType === undefined ? 'no RTP' : `RTP of payload type ${this.#lastPayloadType}`;
    const wanted =
      payloadType === undefined ? `${title} under a payload type from 96 on` : `${title} under ${payloadType}`;
    return `received ${found} instead of ${wanted}`;
  }
}

/** Packet in the first of these datagrams. */
function firstOf([datagram]: readonly Uint8Array[]): RtpPacket | undefined {
  const packet = datagram && parseRtpPacket(datagram);
  return packet?.ok ? packet.value : undefined;
}
