import { type Instant, instant, type Microseconds, microseconds, milliseconds } from '../../protocol/base/units.ts';
import { fillCodingCoefficients } from '../../protocol/repair/coding-coefficients.ts';
import { type PathNotice, parseRecoveryNotice } from '../../protocol/rtcp/recovery-notice.ts';
import { parseRtcp, type RtcpPacket, serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { isRtcp } from '../../protocol/rtp/multiplex.ts';
import { wrapRetransmission } from '../../protocol/rtp/retransmission.ts';
import { asSequence, extend, type Sequence, wireSequence } from '../../protocol/rtp/sequence.ts';
import { STREAM_DEFAULTS } from '../../protocol/stream-parameters.ts';
import { MEDIA_SSRC, RETRANSMISSION_SSRC } from '../../sim/simulated-stream.ts';
import { CodingSender, type Combination, REPAIR_HEADROOM_BYTES, SENT_PACKETS_MAX } from './coded-repair.ts';
import { BATCH_PACKETS_MAX, HairpinTable } from './hairpin-table.ts';
import type { ProtectedStream, SchemeKind, SentSchemePacket } from './scheme.ts';

/** Weight of repair packets against missed deadlines in the published runs. */
const WEIGHT = 1e-7;
/** Round trip before it is measured. */
const ROUND_TRIP_DEFAULT: Microseconds = milliseconds(10);
/** Numbers of requests remembered, whose copies are not answered again. */
const REQUESTS_MAX = 256;

interface SentFrame {
  readonly packets: number;
  /** Departure of its first packet, from which its deadline is counted. */
  readonly at: Instant;
}

interface Sent {
  readonly datagram: Uint8Array;
  readonly frame: SentFrame;
  resentAt: Instant;
}

/**
 * Sends the repair packets that the table says with each frame and with each retransmission. Losses are found by our
 * own receiver, so that only these decisions differ from `hybrid`.
 */
class HairpinSender extends CodingSender {
  readonly #table: HairpinTable;
  readonly #stream: ProtectedStream;
  readonly #sent = new Map<Sequence, Sent>();
  readonly #answered = new Set<number>();
  #frame: SentFrame = { packets: 0, at: instant(0) };
  #batchFrom: Sequence | undefined;
  #path: PathNotice | undefined;
  #highest: Sequence = asSequence(0);
  #repairKey = 0;
  #retransmissions = 0;

  constructor(weight: number, stream: ProtectedStream) {
    super(fillCodingCoefficients, stream);
    this.#table = new HairpinTable(weight);
    this.#stream = stream;
  }

  override onMedia(now: Instant, packet: SentSchemePacket): void {
    const { sequence, datagram, packetIndex, packetCount } = packet;
    if (packetIndex === 0) this.#frame = { packets: packetCount, at: now };
    this.#highest = sequence;
    this.#sent.set(sequence, { datagram, frame: this.#frame, resentAt: instant(Number.NEGATIVE_INFINITY) });
    this.#sent.delete(asSequence(sequence - SENT_PACKETS_MAX));
    super.onMedia(now, packet);
  }

  protected override combinationsAfter(
    { sequence, packetIndex, packetCount }: SentSchemePacket,
    now: Instant,
  ): readonly Combination[] {
    this.#batchFrom ??= sequence;
    const firstSequence = this.#batchFrom;
    const packets = sequence - firstSequence + 1;
    if (packetIndex < packetCount - 1 && packets < BATCH_PACKETS_MAX) return [];
    this.#batchFrom = undefined;
    return this.#repairs(now, this.#frame, { firstSequence, lastSequence: sequence, packets });
  }

  /** Takes the requests out of the feedback. */
  takeFeedback(now: Instant, datagram: Uint8Array): Uint8Array | undefined {
    const packets = isRtcp(datagram) ? parseRtcp(datagram) : undefined;
    if (!packets?.ok) return datagram;
    const others: RtcpPacket[] = [];
    let isAnswered = false;
    for (const packet of packets.value) {
      const notice = packet.kind === 'application' ? parseRecoveryNotice(packet) : undefined;
      const known = notice?.ok ? notice.value : undefined;
      if (known?.kind === 'path') this.#path = known;
      if (known?.kind === 'request') isAnswered = this.#isCopy(known.number);
      else if (packet.kind === 'nack' && packet.mediaSsrc === MEDIA_SSRC) {
        const sequences = packet.sequenceNumbers.map((wire) => extend(wire, this.#highest));
        if (!isAnswered) this.#answer(now, sequences);
        isAnswered = false;
      } else others.push(packet);
    }
    return others.length > 0 ? serializeRtcp(others) : undefined;
  }

  #isCopy(number: number): boolean {
    if (this.#answered.has(number)) return true;
    if (this.#answered.size >= REQUESTS_MAX) this.#answered.delete(this.#answered.keys().next().value!);
    this.#answered.add(number);
    return false;
  }

  /** Time until a retransmission is there, including the variation of the path. */
  get #roundTrip(): Microseconds {
    const answerTime = this.#path?.answerTime ?? 0;
    return answerTime > 0 ? microseconds(answerTime) : (this.#stream.roundTrip() ?? ROUND_TRIP_DEFAULT);
  }

  /** Sends what is missing of each frame again, a batch for each. */
  #answer(now: Instant, sequences: readonly Sequence[]): void {
    const batches = new Map<SentFrame, Sequence[]>();
    for (const sequence of sequences) {
      const sent = this.#sent.get(sequence);
      if (!sent || now > sent.frame.at + this.#stream.latency) continue;
      // A request that crossed the answer to an earlier one.
      if (now - sent.resentAt < (this.#roundTrip * 7) / 8) continue;
      sent.resentAt = now;
      this.transmit(
        wrapRetransmission(sent.datagram, {
          ssrc: RETRANSMISSION_SSRC,
          payloadType: STREAM_DEFAULTS.retransmissionPayloadType,
          sequenceNumber: wireSequence(this.#retransmissions++ & 0xffff),
        }),
      );
      batches.set(sent.frame, [...(batches.get(sent.frame) ?? []), sequence]);
    }
    for (const [frame, batch] of batches) {
      const [firstSequence, lastSequence] = [asSequence(Math.min(...batch)), asSequence(Math.max(...batch))];
      const window = { firstSequence, lastSequence, packets: batch.length };
      for (const combination of this.#repairs(now, frame, window)) this.send(combination);
    }
  }

  #repairs(
    now: Instant,
    frame: SentFrame,
    { packets, ...window }: { packets: number; firstSequence: Sequence; lastSequence: Sequence },
  ): readonly Combination[] {
    const roundTrip = this.#roundTrip;
    // The frame is due one transit after the last departure that is in time; a transmission is left for each round
    // trip after this one's, and one in any case.
    const left = frame.at + this.#stream.latency + roundTrip / 2 - now - roundTrip;
    const count = this.#table.repairs({
      loss: this.#path?.loss ?? this.#stream.reportedLoss() ?? 0,
      framePackets: frame.packets,
      transmissions: Math.floor(left / roundTrip),
      packets,
    });
    return Array.from({ length: count }, () => {
      this.#repairKey = (this.#repairKey + 1) & 0xffff;
      return { ...window, repairKey: this.#repairKey };
    });
  }
}

/** Repair packets with retransmissions, by the time that is left (Meng et al., NSDI 2024). */
export const HAIRPIN: SchemeKind = {
  receiver: 'hybrid',
  headroomBytes: () => REPAIR_HEADROOM_BYTES,
  build: ({ repairWeight = WEIGHT }, stream) => ({ sender: new HairpinSender(repairWeight, stream) }),
};
