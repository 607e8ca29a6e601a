import { asSequence, type Sequence } from '../../protocol/rtp/sequence.ts';

/**
 * Longest group of packets that `fec` repairs together. Each repair packet is a sum over its group, so the work for a
 * packet grows with the group; a frame of this size takes a quarter of the encoder's window.
 */
export const GROUP_PACKETS_MAX = 128;

export interface RepairGroup {
  readonly firstSequence: Sequence;
  readonly lastSequence: Sequence;
  /** Repair packets after it. The groups of a frame together have as many as one group of the frame's size. */
  readonly repairs: number;
}

/**
 * Returns the group that ends with a packet, or `undefined` within a group. A frame is cut into as few groups as
 * possible, whose sizes differ by at most one packet; a frame of up to 128 packets is one group.
 * @param ratio repair packets per media packet.
 */
export function groupEndingWith(
  sequence: Sequence,
  frame: { readonly firstSequence: Sequence; readonly lastSequence: Sequence },
  ratio: number,
): RepairGroup | undefined {
  const packets = frame.lastSequence - frame.firstSequence + 1;
  const groups = Math.ceil(packets / GROUP_PACKETS_MAX);
  const end = sequence - frame.firstSequence + 1;
  const index = Math.ceil((end * groups) / packets) - 1;
  const boundary = (group: number) => Math.floor((packets * group) / groups);
  if (boundary(index + 1) !== end) return undefined;
  const begin = boundary(index);
  return {
    firstSequence: asSequence(frame.firstSequence + begin),
    lastSequence: sequence,
    repairs: Math.ceil(end * ratio) - Math.ceil(begin * ratio),
  };
}
