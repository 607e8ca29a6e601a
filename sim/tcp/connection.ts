import { assert } from '../../protocol/base/assert.ts';
import { type Instant, wholeMilliseconds } from '../../protocol/base/units.ts';
import type { Endpoint } from '../../protocol/endpoint.ts';
import { type ByteSequence, extendByteSequence, wireByteSequence } from './byte-sequence.ts';
import type { Flow } from './flow.ts';
import { Handshake } from './handshake.ts';
import { ReceivingHalf } from './receiving-half.ts';
import type { SentSegment } from './retransmission-queue.ts';
import { ACK, FIN, PSH, parseSegment, RST, SYN, serializeSegment, type TcpSegment } from './segment.ts';
import { SACK_BLOCKS_MAX, type TcpOptions } from './segment-options.ts';
import { SendingHalf } from './sending-half.ts';
import type { SendingCounters } from './tcp-counters.ts';
import type { TcpConnectionOptions, TcpEvent } from './tcp-options.ts';

const NOTHING = new Uint8Array(0);
/** Largest window shift, bits (RFC 7323 §2.3). */
const SCALE_MAX = 14;

type State = 'handshake' | 'established' | 'closed' | 'broken';

/**
 * One end of a TCP connection without an operating system (RFC 9293), modelled on Linux. Datagrams are TCP segments
 * with header, without the IP header. docs/TCP.md lists what is modelled.
 */
export class TcpConnection implements Endpoint<TcpEvent> {
  readonly #options: TcpConnectionOptions;
  readonly #handshake: Handshake;
  readonly #scale: number;
  readonly #events: TcpEvent[] = [];
  /** Bytes written before the connection was established. */
  #earlyWrites: Uint8Array[] = [];
  #finishRequested = false;
  #state: State = 'handshake';
  #sending: SendingHalf | undefined;
  #receiving: ReceivingHalf | undefined;
  #sendScale = 0;
  /** Newest timestamp of the peer, to be echoed (TS.Recent). */
  #recent = 0;
  #resetDue = false;
  #finishedReported = false;
  #reads = true;
  /**
   * The final ACK of the handshake is due; it carries no data, because nothing is written before it
   * (`tcp_rcv_synsent_state_process`).
   */
  #finalAckDue = false;

  constructor(options: TcpConnectionOptions) {
    this.#options = options;
    this.#handshake = new Handshake(options.role);
    let scale = 0;
    while (scale < SCALE_MAX && options.receiveBufferBytes / 2 ** scale > 0xffff) scale++;
    this.#scale = scale;
  }

  get isEstablished(): boolean {
    return this.#state === 'established';
  }

  /** Counters of the sending direction; `undefined` before the handshake completes. */
  get counters(): SendingCounters | undefined {
    return this.#sending?.counters;
  }

  /** Variables of the sending direction for inspection: windows, round-trip times, rates. */
  get flow(): Readonly<Flow> | undefined {
    return this.#sending?.flow;
  }

  /** Bytes written and never sent (compared with `tcp_notsent_lowat`). */
  get unsentBytes(): number {
    if (this.#sending && this.#state !== 'handshake') return this.#sending.unsentBytes;
    return this.#earlyWrites.reduce((sum, bytes) => sum + bytes.length, 0);
  }

  /** Bytes written and not acknowledged, sent or not: the fill of the send buffer (`tcp_wmem`). */
  get unacknowledgedBytes(): number {
    return this.#sending && this.#state !== 'handshake' ? this.#sending.unacknowledgedBytes : this.unsentBytes;
  }

  /** Starts the handshake; active end only. */
  open(now: Instant): void {
    assert(this.#options.role === 'active', 'the end that opens a connection must be the active one');
    this.#handshake.open(now);
  }

  /** Writes to the stream. The connection takes ownership of the bytes. */
  write(now: Instant, bytes: Uint8Array): void {
    assert(!this.#finishRequested, 'write() must not follow finish()');
    // The passive end has its sending half before the handshake completes; early writes keep their order.
    if (this.#sending && this.#state !== 'handshake') this.#sending.write(now, bytes);
    else this.#earlyWrites.push(bytes);
  }

  /** Ends the stream: FIN follows the last byte. */
  finish(now: Instant): void {
    if (this.#finishRequested) return;
    this.#finishRequested = true;
    if (this.#state !== 'handshake') this.#sending?.finish(now);
  }

  /** Aborts the connection with RST. */
  abort(): void {
    if (this.#state === 'closed' || this.#state === 'broken') return;
    this.#resetDue = this.#sending !== undefined;
    this.#state = 'broken';
  }

  /** Enables or disables reading. While disabled, received data stays buffered and the receive window closes. */
  setReading(reads: boolean): void {
    this.#reads = reads;
    this.#receiving?.setReading(reads);
    this.#handOut();
  }

  handleDatagram(now: Instant, datagram: Uint8Array): void {
    if (this.#state === 'broken') return;
    const segment = parseSegment(datagram);
    if (!segment.ok) {
      this.#events.push({ kind: 'malformed', cause: segment.malformed });
      return;
    }
    const { sourcePort, destinationPort, flags } = segment.value;
    if (sourcePort !== this.#options.remotePort || destinationPort !== this.#options.localPort) {
      this.#events.push({ kind: 'malformed', cause: 'ports' });
    } else if (this.#receiving === undefined) this.#handleFirstSegment(now, segment.value);
    else if (flags & SYN) this.#handleRepeatedSyn(this.#receiving);
    else this.#handleSegment(now, segment.value, this.#receiving);
  }

  handleTimeout(now: Instant): void {
    if (this.#state === 'broken') return;
    if (this.#handshake.handleTimeout(now) === 'gave-up') {
      this.#break('timed-out');
      return;
    }
    const at = this.#sending?.pollTimeout();
    if (at !== undefined && at <= now) this.#sending?.handleTimeout(now);
    if (this.#sending?.gaveUp) this.#break('timed-out');
    this.#receiving?.handleTimeout(now);
    this.#handOut();
    this.#closeWhenDone();
  }

  pollTransmit(now: Instant): Uint8Array | undefined {
    if (this.#resetDue) {
      this.#resetDue = false;
      return this.#serialize(now, RST | ACK, this.#sending!.flow.next, NOTHING);
    }
    if (this.#state === 'broken') return undefined;
    if (this.#handshake.takeSend()) return this.#serializeSyn(now);
    if (this.#finalAckDue) {
      this.#finalAckDue = false;
      return this.#serialize(now, ACK, this.#sending!.flow.unacknowledged, NOTHING);
    }
    const outgoing = this.#sending?.pollOutgoing();
    if (outgoing === 'window-probe') {
      // A window probe: one byte below SND.UNA, which triggers an acknowledgment.
      return this.#serialize(now, ACK, this.#sending!.flow.unacknowledged - 1, NOTHING);
    }
    if (outgoing !== undefined) return this.#serializeData(now, outgoing);
    if (!this.#receiving?.acknowledgmentDue || this.#handshake.isOpening) return undefined;
    return this.#serialize(now, ACK, this.#sending!.flow.next, NOTHING);
  }

  pollEvent(): TcpEvent | undefined {
    return this.#events.shift();
  }

  pollTimeout(): Instant | undefined {
    if (this.#state === 'broken') return undefined;
    return earliest(this.#handshake.pollTimeout(), this.#sending?.pollTimeout(), this.#receiving?.pollTimeout());
  }

  #handleFirstSegment(now: Instant, segment: TcpSegment): void {
    const { flags, options } = segment;
    const start = this.#options.initialSequence + 1;
    if (flags & RST) {
      const acknowledges = flags & ACK && segment.acknowledgment === wireByteSequence(start);
      if (this.#options.role === 'active' && acknowledges) this.#break('reset');
      return;
    }
    const expected = this.#options.role === 'active' ? SYN | ACK : SYN;
    if ((flags & (SYN | ACK)) !== expected || !this.#handshake.isOpening) return;
    if (flags & ACK && segment.acknowledgment !== wireByteSequence(start)) return;
    this.#recent = options.timestamps?.value ?? 0;
    this.#sendScale = options.windowScale ?? 0;
    const segmentSize = Math.min(this.#options.maximumSegmentSize, options.maximumSegmentSize ?? 536);
    const remoteStart = segment.sequence + 1;
    const { receiveBufferBytes, readDelay, marksBursts, timerTick } = this.#options;
    this.#receiving = new ReceivingHalf(remoteStart, receiveBufferBytes, this.#scale, { readDelay, timerTick });
    this.#receiving.setReading(this.#reads);
    this.#sending = new SendingHalf({
      segmentBytes: segmentSize - 12,
      start,
      congestionControl: this.#options.congestionControl,
      seed: this.#options.seed,
      marksBursts,
      timerTick,
    });
    if (this.#options.role === 'passive') {
      this.#handshake.answer(now);
      return;
    }
    this.#finalAckDue = true;
    this.#establish(now, segment.window, remoteStart);
  }

  #handleRepeatedSyn(receiving: ReceivingHalf): void {
    if (this.#state === 'handshake') this.#handshake.repeat();
    else receiving.acknowledgeNow();
  }

  #establish(now: Instant, window: number, sequence: ByteSequence): void {
    this.#state = 'established';
    this.#events.push({ kind: 'established' });
    const sending = this.#sending!;
    sending.establish(now, window, sequence, {
      roundTrip: this.#handshake.finish(now),
      retries: this.#handshake.retries,
    });
    for (const bytes of this.#earlyWrites) sending.write(now, bytes);
    this.#earlyWrites = [];
    if (this.#finishRequested) sending.finish(now);
  }

  #handleSegment(now: Instant, segment: TcpSegment, receiving: ReceivingHalf): void {
    const { flags, payload } = segment;
    const sending = this.#sending!;
    const start = extendByteSequence(segment.sequence, receiving.next);
    const length = payload.length + (flags & FIN ? 1 : 0);
    if (!receiving.admits(now, start, length)) return;
    if (flags & RST) {
      // Accepts a RST only at the exact next sequence number, against blind attacks (RFC 5961 §3.2).
      if (start === receiving.next) this.#break('reset');
      return;
    }
    if (!(flags & ACK)) return;
    const { timestamps } = segment.options;
    if (timestamps && start <= receiving.acknowledged) this.#recent = timestamps.value;
    const acknowledgment = extendByteSequence(segment.acknowledgment, sending.flow.next);
    if (this.#state === 'handshake') {
      if (acknowledgment !== sending.flow.next) return;
      this.#establish(now, segment.window * 2 ** this.#sendScale, start);
    }
    const milliseconds = wholeMilliseconds(now);
    sending.handleAcknowledgment(now, {
      acknowledgment,
      sequence: start,
      window: segment.window * 2 ** this.#sendScale,
      blocks: (segment.options.sackBlocks ?? []).map((block) => {
        const from = extendByteSequence(block.start, sending.flow.next);
        return { start: from, end: extendByteSequence(block.end, from) };
      }),
      echo: timestamps && timestamps.echo !== 0 ? extendByteSequence(timestamps.echo, milliseconds) : undefined,
      carriesData: payload.length > 0,
    });
    if (length > 0) {
      receiving.accept(
        now,
        { start, payload, finish: (flags & FIN) !== 0, push: (flags & PSH) !== 0 },
        { roundTrip: sending.flow.roundTrip.smoothed, timeout: sending.retransmissionTimeout },
      );
    }
    this.#handOut();
    this.#closeWhenDone();
  }

  #closeWhenDone(): void {
    if (this.#state !== 'established' || !this.#sending?.isFinished || !this.#receiving?.isFinished) return;
    this.#state = 'closed';
    this.#events.push({ kind: 'closed' });
  }

  #handOut(): void {
    const receiving = this.#receiving;
    if (!receiving) return;
    for (const bytes of receiving.read()) this.#events.push({ kind: 'data', bytes });
    if (!receiving.isFinished || this.#finishedReported || !this.#reads || receiving.hasUnread) return;
    this.#finishedReported = true;
    this.#events.push({ kind: 'finished' });
  }

  #break(kind: 'reset' | 'timed-out'): void {
    this.#state = 'broken';
    this.#events.push({ kind });
  }

  #serializeSyn(now: Instant): Uint8Array {
    const { initialSequence, maximumSegmentSize, receiveBufferBytes } = this.#options;
    const options: TcpOptions = {
      maximumSegmentSize,
      sackPermitted: true,
      timestamps: this.#timestamps(now),
      windowScale: this.#scale,
    };
    const flags = this.#options.role === 'active' ? SYN : SYN | ACK;
    // The window of a SYN is never scaled (RFC 7323 §2.2).
    const window = Math.min(receiveBufferBytes, 0xffff);
    return this.#serializeWith(flags, initialSequence, this.#receiving?.next ?? 0, window, options, NOTHING);
  }

  #serializeData(now: Instant, segment: SentSegment): Uint8Array {
    const sending = this.#sending!;
    const flags = ACK | (sending.pushes(segment) ? PSH : 0) | (segment.finish ? FIN : 0);
    return this.#serialize(now, flags, segment.start, sending.payloadOf(segment));
  }

  #serialize(now: Instant, flags: number, sequence: ByteSequence, payload: Uint8Array): Uint8Array {
    const receiving = this.#receiving!;
    // A full-sized segment has no room for SACK blocks.
    const blocks = payload.length === 0 ? receiving.takeBlocks(SACK_BLOCKS_MAX) : [];
    const timestamps = this.#timestamps(now);
    const sackBlocks = blocks.map(({ start, end }) => ({ start: wireByteSequence(start), end: wireByteSequence(end) }));
    const options = blocks.length > 0 ? { timestamps, sackBlocks } : { timestamps };
    return this.#serializeWith(flags, sequence, receiving.next, receiving.takeWindow(), options, payload);
  }

  #timestamps(now: Instant) {
    return { value: wireByteSequence(wholeMilliseconds(now)), echo: this.#recent };
  }

  #serializeWith(
    flags: number,
    sequence: ByteSequence,
    acknowledgment: ByteSequence,
    window: number,
    options: TcpOptions,
    payload: Uint8Array,
  ): Uint8Array {
    return serializeSegment({
      sourcePort: this.#options.localPort,
      destinationPort: this.#options.remotePort,
      sequence: wireByteSequence(sequence),
      acknowledgment: flags & ACK ? wireByteSequence(acknowledgment) : 0,
      flags,
      window,
      options,
      payload,
    });
  }
}

function earliest(...instants: readonly (Instant | undefined)[]): Instant | undefined {
  let first: Instant | undefined;
  for (const at of instants) if (at !== undefined && (first === undefined || at < first)) first = at;
  return first;
}
