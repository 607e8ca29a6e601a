import { bracketed } from '../../io/net/control-server.ts';
import { DatagramSocket } from '../../io/net/datagram-socket.ts';
import { anyAddressLike, isLoopback } from '../../io/net/host-address.ts';
import { now } from '../../io/os/clock.ts';
import { Failure } from '../../io/os/failure.ts';
import { muxableSound } from '../../io/players/player-feed.ts';
import type { MediaSource } from '../../io/sources/media-source.ts';
import { BacklogGate } from '../../io/web-server/backlog-gate.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import {
  CLOCK_RATE,
  elapsed,
  type Instant,
  inMilliseconds,
  inSeconds,
  microseconds,
  microsecondsToTicks,
  SECOND,
  type Ticks,
  ticks,
} from '../../protocol/base/units.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import { JoinableUnits } from '../../protocol/codec/joinable-units.ts';
import { RTP_HEADER_BYTES, serializeRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import {
  CLOCK_EXTENSION,
  nullPacket,
  stampClocks,
  TRANSPORT_PACKET_BYTES,
  TransportStreamWriter,
} from '../../protocol/transport-stream.ts';
import { CLOCK_INTERVAL, PACKETS_PER_DATAGRAM } from '../../sender/constant-rate.ts';
import type { SenderStatistics } from '../../sender/sender-statistics.ts';
import { RistFlow } from '../rist/rist-flow.ts';
import { Broadcast } from '../stream/broadcast.ts';
import { randomSequence, randomSsrc } from '../stream/identifiers.ts';
import { broadcastMedia } from '../stream/play-order.ts';
import { ConstantPacer } from './constant-pacer.ts';
import { type MulticastWishes, multicastOptions } from './multicast.ts';
import { resolveRtpAddress } from './rtp-address.ts';

export interface TransportStreamSenderOptions {
  readonly source: MediaSource;
  readonly host: string;
  readonly port: number;
  /** `rtp`: the packets are put into RTP (RFC 2250 §2); `rist`: into RTP with retransmissions (VSF TR-06-1). */
  readonly form: 'udp' | 'rtp' | 'rist';
  readonly loop: boolean;
  /** Constant bit rate of the transport stream, bits per second; `undefined`: that of the source. Not with `rist`. */
  readonly rate?: number | undefined;
  /** For a multicast group; not with `rist`. */
  readonly multicast?: MulticastWishes | undefined;
  /** Called with the number of pictures skipped so far, as the source exceeds the constant rate. */
  readonly onExceeded?: ((skipped: number) => void) | undefined;
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

const DATAGRAM_BYTES = PACKETS_PER_DATAGRAM * TRANSPORT_PACKET_BYTES;
/** Payload type of MPEG-TS (RFC 3551 §6). */
const PAYLOAD_TYPE = 33;
/** Time from the clock to the decode time of a picture, which a player buffers: 200 ms, for the way and for reordering. */
const CLOCK_LEAD: Ticks = ticks(18_000);
/** The same at a constant rate, at which a key frame takes longer than its share: 700 ms. */
const CONSTANT_LEAD: Ticks = ticks(63_000);
/**
 * Longest wait at a constant rate, with the next picture, before that is skipped, 90 kHz: all of it leaves before its decode time,
 * except a picture that alone takes longer than the lead.
 */
const BACKLOG_MAX: Ticks = ticks(54_000);
/** Time for a receiver by RIST to answer before the stream begins, milliseconds. */
const MEETING_MS = 1_000;
/** Time after the end in which requests of a receiver by RIST are answered, milliseconds: librist's usual buffer. */
const FAREWELL_MS = 1_000;

/**
 * Sends a source as MPEG-TS (ISO/IEC 13818-1) to one address or group, over UDP, RTP or RIST: at the rate of the source, as it
 * happens, or at a constant rate.
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
  #pacer: ConstantPacer | undefined;
  readonly #gate = new BacklogGate({ queueMax: BACKLOG_MAX });
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
        // Sound waits for the pictures, and is skipped with them.
        if (this.#clock && !(this.#pacer && this.#gate.waitsForKey)) this.#enter(this.#writer.writeSound(unit));
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
    const { address, isGroup } = await resolveRtpAddress(where, host, form === 'rist' ? 'send' : 'send-to-group');
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
    const { multicast = {}, rate } = this.#options;
    if (!isGroup && multicast.hops !== undefined) throw new Failure(`${where}: ttl is for multicast groups`, 2);
    if (!isGroup && multicast.interface !== undefined)
      throw new Failure(`${where}: interface is for multicast groups`, 2);
    if (rate !== undefined) this.#pacer = await ConstantPacer.open(({ payload, at }) => this.#transmit(payload, at));
    this.#socket = await DatagramSocket.open({
      multicast: isGroup ? multicastOptions(address, multicast) : undefined,
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
    if (!this.#stopped) await this.#pacer?.drained();
    if (this.#rist && !this.#stopped) await new Promise((resolve) => setTimeout(resolve, FAREWELL_MS));
    await this.stop();
    if (error) throw error;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#broadcast.stop();
    this.#onEnd(undefined);
    clearInterval(this.#clockTimer);
    this.#pacer?.close();
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
    if (!this.#clock) this.#begin(unit);
    if (this.#pacer && !this.#gate.admits(unit.importance, this.#waiting(this.#pacer, unit))) {
      this.#options.onExceeded?.(this.#gate.dropped);
      return;
    }
    this.#totals.frames++;
    this.#enter(this.#writer.write(this.#joinable.of(unit), this.#clockNow()));
  }

  /** Time until a picture has left; 0 when nothing waits before it, so that one of any size is sent. */
  #waiting({ backlog }: ConstantPacer, { parts }: AccessUnit): Ticks {
    if (backlog === 0) return ticks(0);
    const bits = parts.reduce((sum, part) => sum + part.length, 0) * 8;
    return microsecondsToTicks(microseconds(backlog + (bits * SECOND) / this.#options.rate!));
  }

  #begin(unit: AccessUnit): void {
    const { rate } = this.#options;
    const clock = { at: now(), ticks: ticks(unit.decodeTimestamp - (rate === undefined ? CLOCK_LEAD : CONSTANT_LEAD)) };
    this.#clock = clock;
    if (rate === undefined) {
      this.#clockTimer = setInterval(() => {
        this.#transmit(this.#writer.writeClock(this.#clockNow()));
      }, inMilliseconds(CLOCK_INTERVAL));
      return;
    }
    this.#pacer?.begin({
      rate,
      begin: clock.at,
      clockAt: (at) => this.#exactClockAt(at),
      clockPacket: () => this.#writer.writeClock(clock.ticks),
    });
  }

  /** Passes packets on, or to the pacer of a constant rate. */
  #enter(packets: Uint8Array): void {
    if (this.#pacer) this.#pacer.push(packets);
    else this.#transmit(packets);
  }

  /** The clock of this instant, not that of the schedule, so that a late timer does not show as jitter. */
  #clockNow(): Ticks {
    return this.#clockAt(now());
  }

  #clockAt(instant: Instant): Ticks {
    const { at, ticks: start } = this.#clock!;
    return ticks(start + Math.round(microsecondsToTicks(elapsed(at, instant))));
  }

  /** The same, 27 MHz. */
  #exactClockAt(instant: Instant): number {
    const { at, ticks: start } = this.#clock!;
    return (start + (elapsed(at, instant) * CLOCK_RATE) / SECOND) * CLOCK_EXTENSION;
  }

  #transmit(packets: Uint8Array, at = now()): void {
    const payloads: Uint8Array[] = [];
    for (let from = 0; from < packets.length; from += DATAGRAM_BYTES)
      payloads.push(packets.subarray(from, from + DATAGRAM_BYTES));
    const isPlain = this.#options.form === 'udp';
    this.#totals.bytes += packets.length + (isPlain ? 0 : payloads.length * RTP_HEADER_BYTES);
    this.#totals.packets += payloads.length;
    // As late as possible; a constant rate has stamped its own.
    if (!this.#pacer) stampClocks(packets, this.#exactClockAt(now()));
    if (this.#rist) return this.#rist.send(payloads);
    // The time of departure (RFC 2250 §2), not that of the pictures.
    const time = this.#clockAt(at);
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
