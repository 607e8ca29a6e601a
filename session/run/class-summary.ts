import type { ReceiverStatistics } from '../../receiver/receiver-statistics.ts';

/** Frames by class; each frame is in exactly one class after `total`. */
export interface FrameSummary {
  readonly total: number;
  readonly onTime: number;
  readonly recovered: number;
  readonly late: number;
  readonly mended: number;
  readonly overdue: number;
  readonly incomplete: number;
  readonly neverArrived: number;
  readonly undecodable: number;
}

/** Packets by class; each packet is in exactly one class after `total`. */
export interface PacketSummary {
  readonly total: number;
  readonly onTime: number;
  readonly reordered: number;
  readonly recoveredInRound: readonly number[];
  readonly repaired: number;
  readonly late: number;
  readonly neverArrived: number;
}

/** Returns the frames of all sessions of a stream by class. */
export function sumFrames(sessions: readonly ReceiverStatistics[]): FrameSummary {
  const sum = (pick: (frames: ReceiverStatistics['frames']) => number) =>
    sessions.reduce((total, { frames }) => total + pick(frames), 0);
  return {
    total: sum((frames) => frames.decided),
    onTime: sum((frames) => frames.onTime),
    recovered: sum((frames) => frames.recovered),
    late: sum((frames) => frames.late),
    mended: sum((frames) => frames.mended),
    overdue: sum((frames) => frames.overdue),
    incomplete: sum((frames) => frames.incomplete),
    neverArrived: sum((frames) => frames.neverArrived),
    undecodable: sum((frames) => frames.undecodable),
  };
}

/** Returns the packets of all sessions of a stream by class. */
export function sumPackets(sessions: readonly ReceiverStatistics[]): PacketSummary {
  const sum = (pick: (packets: ReceiverStatistics['packets']) => number) =>
    sessions.reduce((total, { packets }) => total + pick(packets), 0);
  return {
    total: sum((packets) => packets.decided),
    onTime: sum((packets) => packets.onTime),
    reordered: sum((packets) => packets.reordered),
    recoveredInRound: (sessions.at(-1)?.packets.recoveredInRound ?? []).map((_, round) =>
      sum((packets) => packets.recoveredInRound[round] ?? 0),
    ),
    repaired: sum((packets) => packets.repaired),
    late: sum((packets) => packets.late),
    neverArrived: sum((packets) => packets.neverArrived),
  };
}

/** Number of late frames: shown late, only decoded, or dropped. */
export const lateIn = ({ late, mended, overdue }: FrameSummary): number => late + mended + overdue;

/** Number of frames not shown for a reason other than lateness. */
export const lostIn = ({ incomplete, neverArrived, undecodable }: FrameSummary): number =>
  incomplete + neverArrived + undecodable;

/** Number of packets that arrived only by retransmission or repair. */
export const recoveredIn = ({ recoveredInRound, repaired }: PacketSummary): number =>
  recoveredInRound.reduce((sum, count) => sum + count, repaired);
