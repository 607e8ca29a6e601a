import { readUint32 } from '../../protocol/base/big-endian.ts';
import { type Instant, instant } from '../../protocol/base/units.ts';
import type { CoefficientRule } from '../../protocol/repair/coding-coefficients.ts';
import { RepairDecoder } from '../../protocol/repair/repair-decoder.ts';
import { RepairEncoder } from '../../protocol/repair/repair-encoder.ts';
import { parseRepairPayload, REPAIR_HEADER_BYTES, type RepairPayload } from '../../protocol/repair/repair-payload.ts';
import { LENGTH_BYTES } from '../../protocol/repair/source-symbols.ts';
import { RETRANSMISSION_OVERHEAD_BYTES } from '../../protocol/rtp/retransmission.ts';
import { parseRtpPacket, RTP_HEADER_BYTES, serializeRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { extend, type Sequence, wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import { STREAM_DEFAULTS } from '../../protocol/stream-parameters.ts';
import { MEDIA_SSRC, REPAIR_SSRC } from '../../sim/simulated-stream.ts';
import { DepartureQueue } from './departure-queue.ts';
import type { ProtectedStream, SchemePacket, SchemeReceiver, SchemeSender, SentSchemePacket } from './scheme.ts';

/**
 * Repair packets of other codes, in dropframe's own packet (protocol/repair/repair-payload.ts): both ends know the code,
 * and only the coefficients differ. Such a packet is 20 bytes longer than the longest one that it covers; one of RFC 8627
 * is 16 bytes longer, which is 0.3 % of a full packet.
 */

/** Bytes by which a repair packet exceeds the longest media packet, without those of a retransmission. */
export const REPAIR_HEADROOM_BYTES =
  RTP_HEADER_BYTES + REPAIR_HEADER_BYTES + LENGTH_BYTES - RETRANSMISSION_OVERHEAD_BYTES;

/** Packets kept by a receiver: the widest block, and the reordering of a path. */
const RECEIVED_PACKETS_MAX = 1_024;
/** Packets kept by a sender, for what is sent again: a second of 38 Mb/s. */
export const SENT_PACKETS_MAX = 4_000;
const EQUATIONS_MAX = 256;

/** Packets covered by a repair packet. */
export interface Combination {
  readonly firstSequence: Sequence;
  /** Inclusive. */
  readonly lastSequence: Sequence;
  /** Seed of the coefficients, 0 … 65535. */
  readonly repairKey: number;
  /** Coefficients of this packet; those of the sender by default. */
  readonly rule?: CoefficientRule;
  /** Bytes in front of the repair payload. */
  readonly prefix?: Uint8Array;
}

/** A product such as 25 · 0.12 must not become one repair packet more. */
const ROUNDING = 1e-9;

/** Number of repair packets for this many packets at a ratio, rounded up. */
export const repairsFor = (packets: number, ratio: number): number => Math.ceil(packets * ratio - ROUNDING);

/** Makes repair packets over media packets that were sent, with the coefficients of a rule. */
export abstract class CodingSender implements SchemeSender {
  readonly #rule: CoefficientRule;
  readonly #encoder: RepairEncoder;
  readonly #departures = new DepartureQueue();
  #timestamp = wireTimestamp(0);
  #sequence = 0;

  constructor(rule: CoefficientRule, { datagramBytesMax }: Pick<ProtectedStream, 'datagramBytesMax'>) {
    this.#rule = rule;
    this.#encoder = new RepairEncoder({ windowPackets: SENT_PACKETS_MAX, packetBytesMax: datagramBytesMax });
  }

  onMedia(now: Instant, packet: SentSchemePacket): void {
    this.#encoder.add(packet.sequence, packet.datagram);
    this.#timestamp = wireTimestamp(readUint32(packet.datagram, 4));
    for (const combination of this.combinationsAfter(packet, now)) this.send(combination);
  }

  /** Returns what is to be sent after a media packet. */
  protected abstract combinationsAfter(packet: SentSchemePacket, now: Instant): readonly Combination[];

  pollTransmit(now: Instant): Uint8Array | undefined {
    return this.#departures.pollTransmit(now);
  }

  pollTimeout(): Instant | undefined {
    return this.#departures.pollTimeout();
  }

  protected send(combination: Combination): void {
    const { rule = this.#rule, prefix = NO_BYTES, ...window } = combination;
    const repair = this.#encoder.repair({ ...window, coefficients: rule });
    const payload = new Uint8Array(prefix.length + repair.length);
    payload.set(prefix);
    payload.set(repair, prefix.length);
    const datagram = serializeRtpPacket({
      marker: false,
      payloadType: STREAM_DEFAULTS.repairPayloadType,
      sequenceNumber: wireSequence(this.#sequence++ & 0xffff),
      timestamp: this.#timestamp,
      ssrc: REPAIR_SSRC,
      csrcs: [],
      payload,
    });
    this.transmit(datagram);
  }

  /** Sends a datagram at once. */
  protected transmit(datagram: Uint8Array): void {
    this.#departures.add(instant(0), datagram);
  }
}

const NO_BYTES = new Uint8Array(0);

/** Recovers media packets from repair packets, each as soon as the received ones determine it. */
export class CodingReceiver implements SchemeReceiver {
  readonly #rule: CoefficientRule;
  readonly #prefixBytes: number;
  readonly #decoder: RepairDecoder;

  /** @param prefixBytes in front of each repair payload. */
  constructor(rule: CoefficientRule, { datagramBytesMax }: Pick<ProtectedStream, 'datagramBytesMax'>, prefixBytes = 0) {
    this.#rule = rule;
    this.#prefixBytes = prefixBytes;
    this.#decoder = new RepairDecoder({
      ssrc: MEDIA_SSRC,
      windowPackets: RECEIVED_PACKETS_MAX,
      equationsMax: EQUATIONS_MAX,
      packetBytesMax: datagramBytesMax,
    });
  }

  onMedia(_now: Instant, { sequence, datagram }: SchemePacket): readonly Uint8Array[] {
    return this.#decoder.handleSource(sequence, datagram).map(({ packet }) => packet);
  }

  onRedundancy(_now: Instant, datagram: Uint8Array, highest: Sequence): readonly Uint8Array[] {
    const packet = parseRtpPacket(datagram);
    if (!packet.ok) return [];
    const { payload } = packet.value;
    const repair = parseRepairPayload(payload.subarray(this.#prefixBytes));
    const rule = repair.ok ? this.ruleOf(payload.subarray(0, this.#prefixBytes), repair.value) : undefined;
    if (!repair.ok || !rule) return [];
    const firstSequence = extend(repair.value.firstSequence, highest);
    return this.#decoder.handleRepair(firstSequence, repair.value, rule).map(({ packet }) => packet);
  }

  /** Returns the coefficients of a repair packet; `undefined` when it is damaged. */
  protected ruleOf(_prefix: Uint8Array, _repair: RepairPayload): CoefficientRule | undefined {
    return this.#rule;
  }
}
