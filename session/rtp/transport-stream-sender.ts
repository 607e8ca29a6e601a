import { bracketed } from '../../io/net/control-server.ts';
import { DatagramSocket } from '../../io/net/datagram-socket.ts';
import { anyAddressLike, isLoopback } from '../../io/net/host-address.ts';
import { now } from '../../io/os/clock.ts';
import { muxableSound } from '../../io/players/player-feed.ts';
import type { MediaSource } from '../../io/sources/media-source.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { elapsed, type Instant, inSeconds, microsecondsToTicks, type Ticks, ticks } from '../../protocol/base/units.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import { JoinableUnits } from '../../protocol/codec/joinable-units.ts';
import { serializeRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import { TRANSPORT_PACKET_BYTES, TransportStreamWriter } from '../../protocol/transport-stream.ts';
import type { SenderStatistics } from '../../sender/sender-statistics.ts';
import { Broadcast } from '../stream/broadcast.ts';
import { randomSequence, randomSsrc } from '../stream/identifiers.ts';
import { resolveRtpAddress } from './rtp-address.ts';

export interface TransportStreamSenderOptions {
  readonly source: MediaSource;
  readonly host: string;
  readonly port: number;
  /** True to put the packets into RTP (RFC 2250 §2); false for UDP alone. */
  readonly rtp: boolean;
  readonly loop: boolean;
  /** Called for each access unit as it enters the stream. */
  readonly onUnit?: (unit: AccessUnit) => void;
  /** Called for each unit of the sound. */
  readonly onSound?: (unit: AccessUnit) => void;
  readonly onStall: (late: number) => void;
  /** Called when an entry of a playlist is left out. */
  readonly onSkipped?: (error: unknown) => void;
}

/** Packets in a datagram, as other programs send them: 1,316 bytes, which fit Ethernet. */
const PACKETS_PER_DATAGRAM = 7;
const DATAGRAM_BYTES = PACKETS_PER_DATAGRAM * TRANSPORT_PACKET_BYTES;
/** Payload type of MPEG-TS (RFC 3551 §6). */
const PAYLOAD_TYPE = 33;
/** Time from the clock to the decode time of a picture, which a player buffers: 200 ms, for the way and for reordering. */
const CLOCK_LEAD: Ticks = ticks(18_000);
/** Longest time between two clocks, milliseconds: ISO/IEC 13818-1 §2.7.2 allows 100, DVB (TS 101 154 §4.1.5.3) 40. */
const CLOCK_INTERVAL_MS = 30;

/** Sends a source as MPEG-TS (ISO/IEC 13818-1) to one address, over UDP or RTP, as it happens: its rate is the source's. */
export class TransportStreamSender {
  readonly #options: TransportStreamSenderOptions;
  readonly #broadcast: Broadcast;
  readonly #joinable: JoinableUnits;
  readonly #writer: TransportStreamWriter;
  readonly #ssrc = randomSsrc();
  readonly #totals = { frames: 0, packets: 0, bytes: 0, retransmissions: 0 };
  #sequence = randomSequence() as number;
  /** Clock of the stream at an instant; it runs as ours from then on. */
  #clock: { readonly at: Instant; readonly ticks: Ticks } | undefined;
  #clockTimer: NodeJS.Timeout | undefined;
  #socket: DatagramSocket | undefined;
  #address = '';
  #stopped = false;
  #onEnd: (error: unknown) => void = () => {};

  constructor(options: TransportStreamSenderOptions) {
    this.#options = options;
    const { source } = options;
    const { codecName, parameterSets, rotation } = source.description;
    const codec = codecByName(codecName);
    this.#joinable = new JoinableUnits({ codec, parameterSets, rotation });
    const sound = source.sound && muxableSound({ sound: source.sound.description });
    this.#writer = new TransportStreamWriter({
      codec,
      clockLead: ticks(0),
      parameterSets,
      ...(sound && { sound }),
    });
    this.#broadcast = new Broadcast({
      units: () => source.units(),
      loop: options.loop && source.description.isLive !== true,
      playlist: source.playlist,
      onSkipped: options.onSkipped,
      isLive: source.description.isLive,
      onUnit: (unit) => this.#send(unit),
      sound: source.sound && (() => source.sound!.units()),
      onSound: (unit) => {
        options.onSound?.(unit);
        if (this.#clock) this.#transmit(this.#writer.writeSound(unit), unit.timestamp);
      },
      onEnd: (error) => this.#onEnd(error),
      onStall: options.onStall,
    });
  }

  /** Totals so far; `packets` are datagrams. */
  get statistics(): Readonly<Pick<SenderStatistics, 'frames' | 'packets' | 'bytes' | 'retransmissions'>> {
    return this.#totals;
  }

  /** Datagrams that the operating system refused to send; on the same machine: no program listens on the port. */
  get refused(): number {
    return this.#socket?.sendErrors ?? 0;
  }

  /** Place in the source, seconds; `undefined` before the first frame. */
  get positionSeconds(): number | undefined {
    const { position } = this.#broadcast;
    return position === undefined ? undefined : inSeconds(position);
  }

  /** Destination, once it is open. */
  get destination(): string {
    return `${bracketed(this.#address)}:${this.#options.port}`;
  }

  /** Opens the socket. @throws {Failure} when the destination cannot be used. */
  async open(): Promise<void> {
    const { host, port, rtp } = this.#options;
    const where = `${rtp ? 'rtp+ts' : 'udp'}://${bracketed(host)}:${port}`;
    const { address } = await resolveRtpAddress(where, host, 'send');
    this.#address = address;
    this.#socket = await DatagramSocket.open({
      host: isLoopback(address) ? address : anyAddressLike(address),
      port: 0,
      peer: { host: address, port },
      onDatagram: () => {},
    });
  }

  /** Plays the source to its end. Rejects when the source fails. */
  async run(): Promise<void> {
    if (this.#stopped) return;
    const error = await new Promise<unknown>((resolve) => {
      this.#onEnd = resolve;
      this.#broadcast.start();
    });
    await this.stop();
    if (error) throw error;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#broadcast.stop();
    this.#onEnd(undefined);
    clearInterval(this.#clockTimer);
    this.#socket?.close();
  }

  #send(unit: AccessUnit): void {
    this.#options.onUnit?.(unit);
    this.#joinable.learn(unit);
    this.#totals.frames++;
    if (!this.#clock) {
      this.#clock = { at: now(), ticks: ticks(unit.decodeTimestamp - CLOCK_LEAD) };
      this.#clockTimer = setInterval(() => {
        this.#transmit(this.#writer.writeClock(this.#clockNow()), this.#clockNow());
      }, CLOCK_INTERVAL_MS);
    }
    this.#transmit(this.#writer.write(this.#joinable.of(unit), this.#clockNow()), unit.decodeTimestamp);
  }

  /** The clock at the hand-over, not that of the schedule, so that a late timer does not show as jitter. */
  #clockNow(): Ticks {
    const { at, ticks: start } = this.#clock!;
    return ticks(start + Math.round(microsecondsToTicks(elapsed(at, now()))));
  }

  #transmit(packets: Uint8Array, mediaTime: Ticks): void {
    const datagrams: Uint8Array[] = [];
    for (let at = 0; at < packets.length; at += DATAGRAM_BYTES) {
      datagrams.push(this.#datagram(packets.subarray(at, at + DATAGRAM_BYTES), mediaTime));
    }
    for (const { length } of datagrams) this.#totals.bytes += length;
    this.#totals.packets += datagrams.length;
    this.#socket?.send(datagrams);
  }

  #datagram(payload: Uint8Array, mediaTime: Ticks): Uint8Array {
    if (!this.#options.rtp) return payload;
    const sequenceNumber = wireSequence(this.#sequence++);
    const timestamp = wireTimestamp(mediaTime);
    return serializeRtpPacket({
      ...{ marker: false, payloadType: PAYLOAD_TYPE, sequenceNumber, timestamp, ssrc: this.#ssrc },
      ...{ csrcs: [], payload },
    });
  }
}
