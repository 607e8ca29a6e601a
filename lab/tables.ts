import type { Importance } from '../protocol/access-unit.ts';

/**
 * The tables of an answer: one row a cell, and one row a frame. Times are microseconds of the virtual clock, whole
 * numbers; a delay of `Infinity` belongs to something that never came.
 */

/** What became of a frame. The first seven are the receiver's ledger's; `refused`: the sender had no room for it, or
 * withheld it, as the path does not carry it. */
export const FRAME_OUTCOMES = [
  'onTime',
  'recovered',
  'late',
  'overdue',
  'incomplete',
  'neverArrived',
  'undecodable',
  'refused',
] as const;

export type FrameOutcome = (typeof FRAME_OUTCOMES)[number];

/** By what a frame that had lost something became whole. `transport`: by a transport that loses nothing (TCP). */
export const MECHANISMS = ['none', 'retransmission', 'repair', 'both', 'transport'] as const;

export type Mechanism = (typeof MECHANISMS)[number];

/** One frame of one cell. */
export interface FrameRecord {
  /** 0, 1, 2 … in the order in which the source gave them. */
  readonly frame: number;
  readonly type: Importance;
  /** Of the access unit, without any header. */
  readonly bytes: number;
  /** Media packets it was sent in; 0 where the transport has none of its own, or it was refused. */
  readonly packets: number;
  /** When the source handed it over. */
  readonly capturedAt: number;
  /** When the first of it entered the path; `null`: never. */
  readonly sentAt: number | null;
  /** When the last part that was needed was there, repair included; `null`: never. */
  readonly completeAt: number | null;
  /** When it and all that it refers to were complete; `null`: never. */
  readonly decodableAt: number | null;
  /** When it was shown; `null`: never. */
  readonly renderedAt: number | null;
  /** When it was known that something of it was missing: a later packet had come; `null`: nothing was missed. */
  readonly lossSeenAt: number | null;
  readonly mechanism: Mechanism;
  readonly class: FrameOutcome;
}

/**
 * One cell: what was asked, then what came of it. Counts and times are whole numbers; a delay is `Infinity` where a
 * miss takes that place in the distribution, and any column is `null` where there is nothing to compute it from.
 */
export interface SummaryRow {
  /** SHA-256 of the cell's canonical description, hexadecimal. */
  readonly cell: string;
  readonly strategy: string;
  /** The strategy's parameters that are not its defaults, such as `redundancy=0.5`; empty: none. */
  readonly parameters: string;
  /** Such as `synthetic 4000kbps 30fps key=30` or a file's name. */
  readonly source: string;
  /** The links' canonical lines, seed included. */
  readonly forward: string;
  readonly back: string;
  readonly seed: number;
  readonly budgetMs: number;
  readonly release: 'deadline' | 'asap';

  /** Taken from the links' lines, for axes: mean share lost 0 … 1, mean run in packets, milliseconds, bits a second. */
  readonly linkLoss: number;
  readonly linkBurst: number;
  readonly linkDelayMs: number;
  readonly linkRttMs: number;
  readonly linkRate: number;
  readonly framesPerSecond: number;
  readonly keyInterval: number;
  readonly sourceRate: number;

  /** Frames captured after the warm-up, all of them in one class each. */
  readonly frames: number;
  readonly framesOnTime: number;
  readonly framesRecovered: number;
  readonly framesLate: number;
  readonly framesOverdue: number;
  readonly framesIncomplete: number;
  readonly framesNeverArrived: number;
  readonly framesUndecodable: number;
  readonly framesRefused: number;
  /** Complete, and decodable, within the budget of their capture; decodable at any time; shown. */
  readonly framesCompleteInTime: number;
  readonly framesInTime: number;
  readonly framesDecodable: number;
  readonly framesRendered: number;
  /** `framesInTime / frames`: the completeness of the frontier. */
  readonly onTimeRatio: number;
  readonly missRatio: number;
  readonly decodableRatio: number;

  /** Capture to decodable; misses are `Infinity`. */
  readonly delayUsP50: number | null;
  readonly delayUsP95: number | null;
  readonly delayUsP99: number | null;
  readonly delayUsP999: number | null;
  readonly delayUsMax: number | null;
  /** The same of the frames that became decodable, to be read beside `decodableRatio`. */
  readonly deliveredUsMean: number | null;
  readonly deliveredUsP50: number | null;
  readonly deliveredUsP95: number | null;
  readonly deliveredUsP99: number | null;
  readonly deliveredUsP999: number | null;
  readonly deliveredUsMax: number | null;
  /** Capture to shown, of the frames shown (with release `deadline` that is the budget, or more for a late frame). */
  readonly renderUsP50: number | null;
  readonly renderUsP95: number | null;
  readonly renderUsP99: number | null;

  /** W3C's definition (the primary one), libwebrtc's and Tambur's; durations are whole frame durations. */
  readonly freezes: number;
  readonly freezeUs: number;
  readonly pauses: number;
  readonly pauseUs: number;
  readonly freezesLibwebrtc: number;
  readonly freezeUsLibwebrtc: number;
  readonly freezesTambur: number;
  readonly freezeUsTambur: number;
  /** Time for which the picture stood longer than a frame lasts, over the time watched. */
  readonly stallUs: number;
  readonly watchedUs: number;
  readonly stallRatio: number;

  /** First transmissions; lost on the way; not there when their frame was decided, and of those come later. */
  readonly packetsSent: number;
  readonly packetsLost: number;
  readonly packetsResidual: number;
  readonly packetsLate: number;
  /** Runs of losses before and after recovery: how many, their mean length, the longest. */
  readonly burstsBefore: number;
  readonly burstMeanBefore: number | null;
  readonly burstMaxBefore: number;
  readonly burstsAfter: number;
  readonly burstMeanAfter: number | null;
  readonly burstMaxAfter: number;

  /** Of the source; of frames in time; offered to either path with all headers; of repair that was of no use. */
  readonly bytesSource: number;
  readonly bytesGood: number;
  readonly bytesForward: number;
  readonly bytesBack: number;
  readonly bytesRetransmission: number;
  readonly bytesRepair: number;
  readonly bytesWasted: number;
  readonly datagramsForward: number;
  readonly datagramsBack: number;
  /** Bits a second of frames in time. */
  readonly goodput: number;
  /** Bytes each way over the source's, the source's own not counted: `(forward + back) / source - 1` in all. */
  readonly overheadForward: number;
  readonly overheadBack: number;
  readonly overhead: number;
  readonly wasteRatio: number;
  /** Frames made whole by each mechanism, and how long that took from the first sign of the loss. */
  readonly recoveredRetransmission: number;
  readonly recoveredRepair: number;
  readonly recoveredBoth: number;
  readonly recoveryUsP50Retransmission: number | null;
  readonly recoveryUsP95Retransmission: number | null;
  readonly recoveryUsP50Repair: number | null;
  readonly recoveryUsP95Repair: number | null;
  readonly recoveryUsP50Both: number | null;
  readonly recoveryUsP95Both: number | null;
  /** RFC 3550 §6.4.1, microseconds: over all media packets, and over the first packets of frames. */
  readonly jitterUs: number | null;
  readonly jitterFirstUs: number | null;
  /** Virtual time simulated, microseconds. */
  readonly simulatedUs: number;
}
