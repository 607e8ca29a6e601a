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
import { RTP_HEADER_BYTES, serializeRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import { nullPacket, TRANSPORT_PACKET_BYTES, TransportStreamWriter } from '../../protocol/transport-stream.ts';
import type { SenderStatistics } from '../../sender/sender-statistics.ts';
import { RistFlow } from '../rist/rist-flow.ts';
import { Broadcast } from '../stream/broadcast.ts';
import { randomSequence, randomSsrc } from '../stream/identifiers.ts';
import { broadcastMedia } from '../stream/play-order.ts';
import { resolveRtpAddress } from './rtp-address.ts';

export interface TransportStreamSenderOptions {
  readonly source: MediaSource;
  readonly host: string;
  readonly port: number;
  /** `rtp`: the packets are put into RTP (RFC 2250 §2); `rist`: into RTP with retransmissions (VSF TR-06-1). */
  readonly form: 'udp' | 'rtp' | 'rist';
  readonly loop: boolean;
  /** Called for each access unit as it enters the stream. */
  readonly onUnit?: (unit: AccessUnit) => void;
  /** Called for each unit of the sound. */
  readonly onSound?: (unit: AccessUnit) => void;
  readonly onStall: (late: number) => void;
  /** Called when no receiver by RIST has answered; the stream begins nevertheless. */
  readonly onUnanswered?: () => void;
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
/** Time for a receiver by RIST to answer before the stream begins, milliseconds. */
const MEETING_MS = 1_000;
/** Time after the end in which requests of a receiver by RIST are answered, milliseconds: librist's usual buffer. */
const FAREWELL_MS = 1_000;

/**
 * Sends a source as MPEG-TS (ISO/IEC 13818-1) to one address, over UDP, RTP or RIST, as it happens: its rate is the
 * source's.
 */
export class TransportStreamSender {
  readonly #options: TransportStreamSenderOptions;
  readonly #broadcast: Broadcast;
  readonly #joinable: JoinableUnits;
  readonly #writer: TransportStreamWriter;
  readonly #ssrc = randomSsrc();
  readonly #totals = { frames: 0, packets: 0, bytes: 0 };
  #sequence = randomSequence() as number;
  /** Clock of the stream at an instant; it runs as ours from then on. */
  #clock: { readonly at: Instant; readonly ticks: Ticks } | undefined;
  #clockTimer: NodeJS.Timeout | undefined;
  #socket: DatagramSocket | undefined;
  #rist: RistFlow | undefined;
  #address = '';
  #stopped = false;
  #onEnd: (error: unknown) => void = () => {};
  /** An internal error of the RIST sender, which may come before the stream begins. */
  #fault: Error | undefined;

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
      ...broadcastMedia(source),
      loop: options.loop && source.description.isLive !== true,
      onSkipped: options.onSkipped,
      isLive: source.description.isLive,
      onUnit: (unit) => this.#send(unit),
      onSound: (unit) => {
        options.onSound?.(unit);
        if (this.#clock) this.#transmit(this.#writer.writeSound(unit));
      },
      onEnd: (error) => this.#onEnd(error),
      onStall: options.onStall,
    });
  }

  /** Totals so far; `packets` are datagrams. */
  get statistics(): Readonly<Pick<SenderStatistics, 'frames' | 'packets' | 'bytes' | 'retransmissions'>> {
    const retransmissions = this.#rist?.statistics.retransmissions ?? 0;
    return { ...this.#totals, retransmissions };
  }

  /** Datagrams that the operating system refused to send; on the same machine: no program listens on the port. */
  get refused(): number {
    return this.#socket?.sendErrors ?? this.#rist?.refused ?? 0;
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
    const { host, port, form } = this.#options;
    const where = `${form === 'rtp' ? 'rtp+ts' : form}://${bracketed(host)}:${port}`;
    const { address } = await resolveRtpAddress(where, host, 'send');
    this.#address = address;
    if (form === 'rist') {
      const onFault = (failure: Error) => {
        this.#fault = failure;
        this.#onEnd(failure);
      };
      this.#rist = new RistFlow({ address, port, payloadType: PAYLOAD_TYPE, onFault });
      await this.#rist.open();
      return;
    }
    this.#socket = await DatagramSocket.open({
      host: isLoopback(address) ? address : anyAddressLike(address),
      port: 0,
      peer: { host: address, port },
      onDatagram: () => {},
    });
  }

  /** Plays the source to its end. Rejects when the source fails. */
  async run(): Promise<void> {
    if (this.#rist) await this.#introduce(this.#rist);
    if (this.#stopped) return;
    const error = await new Promise<unknown>((resolve) => {
      this.#onEnd = resolve;
      if (this.#fault) resolve(this.#fault);
      else this.#broadcast.start();
    });
    clearInterval(this.#clockTimer);
    if (this.#rist && !this.#stopped) await new Promise((resolve) => setTimeout(resolve, FAREWELL_MS));
    await this.stop();
    if (error) throw error;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#broadcast.stop();
    this.#onEnd(undefined);
    clearInterval(this.#clockTimer);
    this.#socket?.close();
    this.#rist?.close();
  }

  /** librist takes no more than the address from the first RTP packet: it is one that no reader misses. */
  async #introduce(rist: RistFlow): Promise<void> {
    if (!(await rist.meet(MEETING_MS))) this.#options.onUnanswered?.();
    rist.send([nullPacket()]);
  }

  #send(unit: AccessUnit): void {
    this.#options.onUnit?.(unit);
    this.#joinable.learn(unit);
    this.#totals.frames++;
    if (!this.#clock) {
      this.#clock = { at: now(), ticks: ticks(unit.decodeTimestamp - CLOCK_LEAD) };
      this.#clockTimer = setInterval(() => {
        this.#transmit(this.#writer.writeClock(this.#clockNow()));
      }, CLOCK_INTERVAL_MS);
    }
    this.#transmit(this.#writer.write(this.#joinable.of(unit), this.#clockNow()));
  }

  /** The clock at the hand-over, not that of the schedule, so that a late timer does not show as jitter. */
  #clockNow(): Ticks {
    const { at, ticks: start } = this.#clock!;
    return ticks(start + Math.round(microsecondsToTicks(elapsed(at, now()))));
  }

  #transmit(packets: Uint8Array): void {
    const payloads: Uint8Array[] = [];
    for (let at = 0; at < packets.length; at += DATAGRAM_BYTES)
      payloads.push(packets.subarray(at, at + DATAGRAM_BYTES));
    const isPlain = this.#options.form === 'udp';
    this.#totals.bytes += packets.length + (isPlain ? 0 : payloads.length * RTP_HEADER_BYTES);
    this.#totals.packets += payloads.length;
    if (this.#rist) return this.#rist.send(payloads);
    // The time of departure (RFC 2250 §2), not that of the pictures.
    const time = this.#clockNow();
    this.#socket?.send(isPlain ? payloads : payloads.map((payload) => this.#rtpPacket(payload, time)));
  }

  #rtpPacket(payload: Uint8Array, time: Ticks): Uint8Array {
    const sequenceNumber = wireSequence(this.#sequence++);
    return serializeRtpPacket({
      ...{ marker: false, payloadType: PAYLOAD_TYPE, sequenceNumber, timestamp: wireTimestamp(time), ssrc: this.#ssrc },
      ...{ csrcs: [], payload },
    });
  }
}
