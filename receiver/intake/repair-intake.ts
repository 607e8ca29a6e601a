import { type Parsed, parsed } from '../../protocol/base/parsed.ts';
import { RepairDecoder, type RepairDecoderCounts } from '../../protocol/repair/repair-decoder.ts';
import { parseRepairPayload } from '../../protocol/repair/repair-payload.ts';
import { parseRtpPacket, type RtpPacket, withoutPadding } from '../../protocol/rtp/rtp-packet.ts';
import { asSequence, extend, type Sequence } from '../../protocol/rtp/sequence.ts';

/** Widest window of our senders. */
const WINDOW_PACKETS = 512;
/** Repair packets kept unsolved: twice what the budget allows for a window. */
const EQUATIONS_MAX = 128;

/** Result of a repair packet. */
export interface Repair {
  readonly packets: readonly RtpPacket[];
  /** Newest packet that it covers, which has therefore been sent. */
  readonly through: Sequence;
}

/** Takes media and repair packets, and returns the media packets recovered from them. */
export class RepairIntake {
  readonly #decoder: RepairDecoder;

  /** @param options.packetBytesMax longest media packet that can be recovered. */
  constructor(options: { readonly ssrc: number; readonly packetBytesMax: number }) {
    this.#decoder = new RepairDecoder({ ...options, windowPackets: WINDOW_PACKETS, equationsMax: EQUATIONS_MAX });
  }

  get counts(): RepairDecoderCounts {
    return this.#decoder.counts;
  }

  /** @param datagram the packet as originally sent; retained. Padding is not recovered. */
  handleMedia(sequence: Sequence, datagram: Uint8Array): readonly RtpPacket[] {
    return packetsOf(this.#decoder.handleSource(sequence, withoutPadding(datagram)));
  }

  /** @param highest newest sequence number of the media. */
  handleRepair(payload: Uint8Array, highest: Sequence): Parsed<Repair> {
    const repair = parseRepairPayload(payload);
    if (!repair.ok) return repair;
    const firstSequence = extend(repair.value.firstSequence, highest);
    const packets = packetsOf(this.#decoder.handleRepair(firstSequence, repair.value));
    // A window further ahead than ours can be is damaged, and does not show what was sent.
    const last = asSequence(firstSequence + repair.value.windowPackets - 1);
    return parsed({ packets, through: last > highest + WINDOW_PACKETS ? highest : last });
  }
}

function packetsOf(recovered: readonly { readonly packet: Uint8Array }[]): readonly RtpPacket[] {
  if (recovered.length === 0) return NONE;
  return recovered.flatMap(({ packet }) => {
    const read = parseRtpPacket(packet);
    return read.ok ? [read.value] : [];
  });
}

const NONE: readonly RtpPacket[] = [];
