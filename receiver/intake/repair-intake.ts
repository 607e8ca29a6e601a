import { type Parsed, parsed } from '../../protocol/base/parsed.ts';
import { RepairDecoder, type RepairDecoderCounts } from '../../protocol/repair/repair-decoder.ts';
import { parseRepairPayload } from '../../protocol/repair/repair-payload.ts';
import { parseRtpPacket, type RtpPacket, withoutPadding } from '../../protocol/rtp/rtp-packet.ts';
import { asSequence, extend, type Sequence } from '../../protocol/rtp/sequence.ts';

/** As many as our senders cover at most. */
const WINDOW_PACKETS = 512;
/** Repair packets that wait for more: twice what the budget allows for a window's worth. */
const EQUATIONS_MAX = 128;

/** What a repair packet gives. */
export interface Repair {
  readonly packets: readonly RtpPacket[];
  /** The newest packet that it is about: it was sent before. */
  readonly through: Sequence;
}

/** Takes media and repair packets, and gives the media packets that follow from them. */
export class RepairIntake {
  readonly #decoder: RepairDecoder;

  /** @param options.packetBytesMax the longest media packet that can be mended. */
  constructor(options: { readonly ssrc: number; readonly packetBytesMax: number }) {
    this.#decoder = new RepairDecoder({ ...options, windowPackets: WINDOW_PACKETS, equationsMax: EQUATIONS_MAX });
  }

  get counts(): RepairDecoderCounts {
    return this.#decoder.counts;
  }

  /** @param datagram the packet as it was sent first, which is kept; padding is no part of what is mended. */
  handleMedia(sequence: Sequence, datagram: Uint8Array): readonly RtpPacket[] {
    return packetsOf(this.#decoder.handleSource(sequence, withoutPadding(datagram)));
  }

  /** @param highest the newest sequence number of the media. */
  handleRepair(payload: Uint8Array, highest: Sequence): Parsed<Repair> {
    const repair = parseRepairPayload(payload);
    if (!repair.ok) return repair;
    const firstSequence = extend(repair.value.firstSequence, highest);
    const packets = packetsOf(this.#decoder.handleRepair(firstSequence, repair.value));
    // What is further ahead than any window of ours is damaged, and no sign of what was sent.
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
