import { EndpointDriver, type EndpointFault } from '../../io/net/endpoint-driver.ts';
import { now } from '../../io/os/clock.ts';
import type { Codec } from '../../protocol/codec/codec.ts';
import { parseRtcp } from '../../protocol/rtcp/rtcp.ts';
import { classifyDatagram } from '../../protocol/rtp/multiplex.ts';
import type { NtpTimestamp } from '../../protocol/rtp/ntp.ts';
import { parseRtpPacket, type RtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import type { WireTimestamp } from '../../protocol/rtp/sequence.ts';
import { paddingInPlaceOf } from '../../protocol/rtp/ulpfec.ts';
import { ParityIntake } from '../../receiver/intake/parity-intake.ts';
import { SourceLock } from '../../receiver/intake/source-lock.ts';
import { Receiver, type ReceiverEvent } from '../../receiver/receiver.ts';
import type { ReceiverOptions } from '../../receiver/receiver-options.ts';
import type { ReceiverStatistics } from '../../receiver/receiver-statistics.ts';

/** Reception of one stream, from its first packet until another begins. */
export interface RtpSession {
  readonly receiver: Receiver;
  readonly driver: EndpointDriver<ReceiverEvent>;
}

export interface RtpIntakeOptions {
  readonly codec: Codec;
  /** Payload type; `undefined`: the first dynamic one received. */
  readonly payloadType: number | undefined;
  /** Returns the options of a session's receiver, from the first packet of the session. */
  readonly receiverOptions: (first: RtpPacket) => ReceiverOptions;
  /** Sends reports and requests. */
  readonly transmit: (datagrams: readonly Uint8Array[]) => void;
  /** A packet of any source. */
  readonly onPacket?: (packet: RtpPacket, how: { readonly retransmission: boolean }) => void;
  /** A session has begun; its first packet has not been received yet. */
  readonly onBegin: (first: RtpPacket) => void;
  /** A sender report of the stream. */
  readonly onReport: (ntp: NtpTimestamp, timestamp: WireTimestamp) => void;
  readonly onEvent: (event: ReceiverEvent) => void;
  /** A session is over. */
  readonly onEnd: (statistics: ReceiverStatistics) => void;
  /** An internal error, which ends the session. The next packet of its stream begins another. */
  readonly onFault: (fault: EndpointFault, options: ReceiverOptions) => void;
}

interface Arrived {
  readonly datagram: Uint8Array;
  readonly packet: RtpPacket;
}

/** Selects one stream among the datagrams of plain RTP, and receives it in sessions, one after another. */
export class RtpIntake {
  readonly #options: RtpIntakeOptions;
  readonly #lock: SourceLock;
  #session: RtpSession | undefined;
  /** Packets that may begin another stream. */
  #held: Arrived[] = [];
  #parity: ParityIntake | undefined;

  constructor(options: RtpIntakeOptions) {
    this.#options = options;
    this.#lock = new SourceLock(options.codec, options.payloadType);
  }

  /** The stream; `undefined` before its first packet. */
  get source(): { readonly ssrc: number; readonly payloadType: number } | undefined {
    return this.#lock.source;
  }

  /** The present session; `undefined` before the first one, and while one ends. */
  get session(): RtpSession | undefined {
    return this.#session;
  }

  receive(datagram: Uint8Array): void {
    const kind = classifyDatagram(datagram);
    if (kind === 'rtp') return this.#receiveRtp(datagram);
    if (kind === 'rtcp') this.#readRtcp(datagram);
    this.#session?.driver.receive(datagram); // counts foreign datagrams too
  }

  /** Ends the session: its last frames are decided, and the sender is told with a BYE. */
  end(): void {
    const session = this.#session;
    if (!session) return;
    this.#session = undefined;
    session.driver.attempt(() => session.receiver.finish(now()));
    session.driver.attempt(() => session.receiver.leave(now()));
    session.driver.drain();
    session.driver.close();
    this.#options.onEnd(session.receiver.statistics);
  }

  #readRtcp(datagram: Uint8Array): void {
    const packets = parseRtcp(datagram);
    for (const packet of packets.ok ? packets.value : []) {
      if (packet.kind === 'goodbye') this.#lock.handleGoodbye(packet.ssrcs);
      if (packet.kind !== 'sender-report' || packet.ssrc !== this.#lock.source?.ssrc) continue;
      this.#options.onReport(packet.ntp, packet.rtpTimestamp);
    }
  }

  #receiveRtp(datagram: Uint8Array): void {
    const parsed = parseRtpPacket(datagram);
    if (!parsed.ok) return this.#session?.driver.receive(datagram);
    const packet = parsed.value;
    // A retransmission begins no stream, however long the stream has been silent.
    const again = this.#session?.receiver.retransmissionSsrc;
    const retransmission = again !== undefined && packet.ssrc === again;
    this.#options.onPacket?.(packet, { retransmission });
    if (retransmission) return this.#session?.driver.receive(datagram);
    if (this.#takeParity(datagram, packet)) return;
    const verdict = this.#lock.observe(now(), packet);
    if (verdict === 'foreign') return this.#session?.driver.receive(datagram); // counted there
    if (verdict === 'held-also') return void this.#held.push({ datagram, packet });
    const isOwn = ({ packet: held }: Arrived) => held.ssrc === packet.ssrc && held.payloadType === packet.payloadType;
    const held = this.#held.filter(isOwn);
    // Another stream has begun: what is held of the one before belongs to its session.
    for (const earlier of this.#held) if (!isOwn(earlier)) this.#session?.driver.receive(earlier.datagram);
    this.#held = verdict === 'held' ? [{ datagram, packet }] : [];
    // A session that broke an invariant is over; its stream continues in another.
    if (verdict === 'new' || (verdict === 'present' && !this.#session)) this.#begin(held[0]?.packet ?? packet);
    for (const earlier of held) this.#receiveMedia(earlier.datagram);
    if (verdict !== 'held') this.#receiveMedia(datagram);
  }

  #receiveMedia(datagram: Uint8Array): void {
    this.#session?.driver.receive(datagram);
    this.#takeRecovered(this.#parity?.handleMedia(datagram));
  }

  /** Takes a packet of parity, which has the SSRC and the numbers of the media. Returns false for any other. */
  #takeParity(datagram: Uint8Array, { ssrc, payloadType, payload }: RtpPacket): boolean {
    const { source } = this.#lock;
    if (!this.#session || ssrc !== source?.ssrc || payloadType === source.payloadType) return false;
    const recovered = this.#parity?.handleParity(payload);
    if (!recovered) return false;
    // Its number is not a gap.
    this.#session.driver.receive(paddingInPlaceOf(datagram, source.payloadType));
    this.#takeRecovered(recovered);
    return true;
  }

  #takeRecovered(packets: readonly Uint8Array[] = []): void {
    const session = this.#session;
    if (!session || packets.length === 0) return;
    for (const packet of packets) session.driver.attempt(() => session.receiver.handleRecovered(now(), packet));
    session.driver.drain();
  }

  #begin(first: RtpPacket): void {
    this.end();
    const { receiverOptions, transmit, onEvent, onFault, onBegin } = this.#options;
    const options = receiverOptions(first);
    const receiver = new Receiver(options);
    const driver = new EndpointDriver<ReceiverEvent>({
      endpoint: receiver,
      transmit,
      onEvent,
      onFault: (fault) => {
        onFault(fault, options);
        this.end();
      },
    });
    this.#session = { receiver, driver };
    this.#parity = new ParityIntake({ ssrc: first.ssrc, payloadType: first.payloadType });
    onBegin(first);
  }
}
