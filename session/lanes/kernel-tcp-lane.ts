import type { AccessUnit } from '../../protocol/access-unit.ts';
import { readUint16, readUint32 } from '../../protocol/base/big-endian.ts';
import { type Instant, latest } from '../../protocol/base/units.ts';
import { IP_HEADER_BYTES } from '../../protocol/ip-packet.ts';
import type { Path } from '../../sim/simulation.ts';
import { type CarriedStream, frameAccessUnit } from '../../sim/tcp/access-unit-framing.ts';
import { InOrderLane } from './in-order-lane.ts';
import type { KernelTcp, KernelTcpEvent } from './kernel-tcp.ts';
import type { LaneTransport, LaneTransportOptions } from './lane-transport.ts';
import type { PicturePlace } from './picture-numbers.ts';

/** Offset of the flags in a segment, the flag of its first one, and the offset of the sequence number (RFC 9293 §3.1). */
const FLAGS_OFFSET = 13;
const SYN = 0x02;
const SEQUENCE_OFFSET = 4;

type Timed = Extract<KernelTcpEvent, { readonly at: Instant }>;

/**
 * A lane over the TCP of the machine's kernel. Its packets pass the same links as those of the other lanes, on the lanes'
 * clock: the kernel runs by its own, and what it does enters the lane at the time at which it did it.
 */
export class KernelTcpLane extends InOrderLane implements LaneTransport {
  readonly #options: LaneTransportOptions;
  readonly #kernel: KernelTcp;
  readonly #toLaneTime: (at: Instant) => Instant;
  /** Observations that the lane's clock has not reached. */
  #inbox: Timed[] = [];
  /** Units that the receiving end has not read, by frame. */
  readonly #units: Readonly<Record<CarriedStream, Map<number, AccessUnit>>> = { video: new Map(), sound: new Map() };
  /** Port of the sending end; `undefined` before the connection. */
  #port: number | undefined;
  #at: Instant;

  /** @param on the kernel's TCP; `toLaneTime` converts from the process's clock to that of the lanes. */
  constructor(
    options: LaneTransportOptions,
    startsAt: Instant,
    { tcp, toLaneTime }: { readonly tcp: KernelTcp; readonly toLaneTime: (at: Instant) => Instant },
  ) {
    super(options, 0);
    this.#options = options;
    this.#kernel = tcp;
    this.#toLaneTime = toLaneTime;
    this.#at = startsAt;
    if (tcp.isReady) this.#connect();
  }

  send(now: Instant, unit: AccessUnit, picture: PicturePlace | undefined): boolean {
    if (!this.#kernel.isReady) return false;
    if (this.#port === undefined) this.#connect();
    this.#write('video', this.inOrder.captured(now, unit, picture), unit);
    this.runUntil(now);
    return true;
  }

  sendSound(now: Instant, unit: AccessUnit): void {
    // It begins with the pictures.
    if (this.#port === undefined) return;
    this.#write('sound', this.inOrder.soundCaptured(now, unit), unit);
    this.runUntil(now);
  }

  runUntil(now: Instant): void {
    while (this.#inbox[0] !== undefined && this.#toLaneTime(this.#inbox[0].at) <= now) {
      const event = this.#inbox.shift()!;
      const at = latest(this.#at, this.#toLaneTime(event.at));
      this.#advance(at);
      this.#handle(at, event);
    }
    this.#advance(now);
  }

  #write(stream: CarriedStream, frame: number, unit: AccessUnit): void {
    this.#units[stream].set(frame, unit);
    const isKey = unit.importance === 'key';
    this.#kernel.send({ stream, frame, isKey, bytes: frameAccessUnit(frame, unit, stream) });
  }

  #connect(): void {
    this.#port = this.#kernel.connect((event) => {
      switch (event.kind) {
        case 'written':
          return this.segments.wrote(event.stream === 'video' ? event.frame : -1, event.bytes);
        case 'failed':
          this.hasFailed = true;
          return;
        default:
          this.#inbox.push(event);
      }
    });
  }

  #handle(at: Instant, event: Timed): void {
    switch (event.kind) {
      case 'sent':
        return this.#carry(at, event.packet);
      case 'given-up':
        this.#units[event.stream].delete(event.frame);
        return this.inOrder.givenUp(at, event.stream, event.frame);
      case 'complete': {
        const { stream, frame } = event;
        const unit = this.#units[stream].get(frame);
        this.#units[stream].delete(frame);
        if (unit) this.inOrder.complete(stream, frame, unit, at);
        return;
      }
      default:
        event satisfies never;
    }
  }

  /** Puts a packet of the kernel on the link of its direction. */
  #carry(at: Instant, packet: Uint8Array): void {
    const segment = packet.subarray(IP_HEADER_BYTES);
    const isForward = readUint16(segment, 0) === this.#port;
    // Of a connection before this one.
    if (!isForward && readUint16(segment, 2) !== this.#port) return;
    if (isForward && (segment[FLAGS_OFFSET]! & SYN) !== 0)
      this.segments.beginAt(readUint32(segment, SEQUENCE_OFFSET) + 1);
    (isForward ? this.path : this.#options.back).send(at, segment);
  }

  /** Delivers what leaves the links up to a time, in order. */
  #advance(until: Instant): void {
    const { back } = this.#options;
    for (;;) {
      const next = earliestOf([this.path.pollTimeout(), back.pollTimeout(), this.inOrder.nextAt]);
      if (next === undefined || next > until) break;
      this.#at = latest(this.#at, next);
      const packets = [...this.#delivered(this.path), ...this.#delivered(back)];
      if (packets.length > 0) this.#kernel.deliver(packets);
      this.inOrder.showDue(this.#at);
    }
    this.#at = latest(this.#at, until);
  }

  *#delivered(path: Path): Generator<Uint8Array> {
    for (let segment = path.pollDelivery(this.#at); segment; segment = path.pollDelivery(this.#at)) {
      // A corrupted segment is a copy without its header. The kernel would discard it by its checksum.
      if (segment.byteOffset === IP_HEADER_BYTES)
        yield new Uint8Array(segment.buffer, 0, IP_HEADER_BYTES + segment.length);
    }
  }
}

function earliestOf(times: readonly (Instant | undefined)[]): Instant | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : known.reduce((first, time) => (time < first ? time : first));
}
