import type { Importance } from '../protocol/access-unit.ts';

/**
 * Tables of an answer: one row per cell, and one row per frame. Times are integers in microseconds of the virtual
 * clock; `Infinity` is the delay of a frame that never arrived.
 */

/**
 * Final class of a frame. The first eight come from the receiver's ledger; `refused`: the sender had no room for it, or
 * withheld it because the path cannot carry it.
 */
export const FRAME_OUTCOMES = [
  'onTime',
  'recovered',
  'late',
  'mended',
  'overdue',
  'incomplete',
  'neverArrived',
  'undecodable',
  'refused',
] as const;

/** Class of a frame in the tables; `refused`: never sent. */
export type FrameOutcome = (typeof FRAME_OUTCOMES)[number];

/** Mechanism that completed a frame with losses. `transport`: a reliable transport (TCP). */
export const MECHANISMS = ['none', 'retransmission', 'repair', 'both', 'transport'] as const;

/** Mechanism that completed a frame. */
export type Mechanism = (typeof MECHANISMS)[number];

/** One frame of a cell. */
export interface FrameRecord {
  /** Frame number in source order, from 0. */
  readonly frame: number;
  readonly type: Importance;
  /** Bytes of the access unit, without headers. */
  readonly bytes: number;
  /** Number of media packets; 0 with a transport without packets, or when refused. */
  readonly packets: number;
  /** Capture time. */
  readonly capturedAt: number;
  /** First transmission of any part; `null`: never. */
  readonly sentAt: number | null;
  /** Arrival of the last needed part, including repair; `null`: never. */
  readonly completeAt: number | null;
  /** Time at which the frame and all its references were complete; `null`: never. */
  readonly decodableAt: number | null;
  /** Display time; `null`: never. */
  readonly renderedAt: number | null;
  /** Time at which a loss was noticed, by a later packet; `null`: none noticed. */
  readonly lossSeenAt: number | null;
  readonly mechanism: Mechanism;
  readonly class: FrameOutcome;
}

/**
 * One cell: its inputs, then its results. Counts and times are integers. A delay is `Infinity` when a missed frame has
 * that rank in the distribution; a column is `null` when it is not computable.
 */
export interface SummaryRow {
  /** SHA-256 of the cell's canonical description, hexadecimal. */
  readonly cell: string;
  readonly strategy: string;
  /** Non-default parameters, for example `redundancy=0.5`; empty when none. */
  readonly parameters: string;
  /** Source label: `synthetic 4000kbps 30fps key=30`, or a file name. */
  readonly source: string;
  /** Canonical forms of the links, with seed. */
  readonly forward: string;
  readonly back: string;
  readonly seed: number;
  readonly budgetMs: number;
  readonly release: 'deadline' | 'asap';

  /**
   * Link parameters for plot axes: mean loss 0 … 1, mean burst in datagrams, delays in milliseconds, rate in bits per
   * second.
   */
  readonly linkLoss: number;
  readonly linkBurst: number;
  readonly linkDelayMs: number;
  readonly linkRttMs: number;
  readonly linkRate: number;
  readonly framesPerSecond: number;
  readonly keyInterval: number;
  readonly sourceRate: number;

  /** Frames captured after the warm-up, each in exactly one class. */
  readonly frames: number;
  readonly framesOnTime: number;
  readonly framesRecovered: number;
  readonly framesLate: number;
  readonly framesMended: number;
  readonly framesOverdue: number;
  readonly framesIncomplete: number;
  readonly framesNeverArrived: number;
  readonly framesUndecodable: number;
  readonly framesRefused: number;
  /** Complete within the budget; decodable within the budget; decodable at any time; displayed. */
  readonly framesCompleteInTime: number;
  readonly framesInTime: number;
  readonly framesDecodable: number;
  readonly framesRendered: number;
  /** `framesInTime / frames`: the completeness in the frontier plot. */
  readonly onTimeRatio: number;
  readonly missRatio: number;
  readonly decodableRatio: number;

  /** Capture to decodable; missed frames are `Infinity`. */
  readonly delayUsP50: number | null;
  readonly delayUsP95: number | null;
  readonly delayUsP99: number | null;
  readonly delayUsP999: number | null;
  readonly delayUsMax: number | null;
  /** The same for frames that became decodable; to be read with `decodableRatio`. */
  readonly deliveredUsMean: number | null;
  readonly deliveredUsP50: number | null;
  readonly deliveredUsP95: number | null;
  readonly deliveredUsP99: number | null;
  readonly deliveredUsP999: number | null;
  readonly deliveredUsMax: number | null;
  /** The same for frames within the budget. */
  readonly inTimeUsP50: number | null;
  readonly inTimeUsP95: number | null;
  /** Capture to display, for displayed frames (with release `deadline`: the budget, or more for a late frame). */
  readonly renderUsP50: number | null;
  readonly renderUsP95: number | null;
  readonly renderUsP99: number | null;

  /** Freezes as defined by W3C (primary), libwebrtc and Tambur; durations include the normal frame duration. */
  readonly freezes: number;
  readonly freezeUs: number;
  readonly pauses: number;
  readonly pauseUs: number;
  readonly freezesLibwebrtc: number;
  readonly freezeUsLibwebrtc: number;
  readonly freezesTambur: number;
  readonly freezeUsTambur: number;
  /** Time for which a picture was shown beyond one frame period, and the time watched. */
  readonly stallUs: number;
  readonly watchedUs: number;
  readonly stallRatio: number;

  /** First transmissions; lost on the path; missing when their frame was decided; arrived after that. */
  readonly packetsSent: number;
  readonly packetsLost: number;
  readonly packetsResidual: number;
  readonly packetsLate: number;
  /** Loss bursts before and after recovery: count, mean length, longest. */
  readonly burstsBefore: number;
  readonly burstMeanBefore: number | null;
  readonly burstMaxBefore: number;
  readonly burstsAfter: number;
  readonly burstMeanAfter: number | null;
  readonly burstMaxAfter: number;

  /** Source bytes; bytes of frames in time; bytes offered to each path with all headers; useless recovery bytes. */
  readonly bytesSource: number;
  readonly bytesGood: number;
  readonly bytesForward: number;
  readonly bytesBack: number;
  readonly bytesRetransmission: number;
  readonly bytesRepair: number;
  readonly bytesWasted: number;
  readonly datagramsForward: number;
  readonly datagramsBack: number;
  /** Bits per second of frames in time. */
  readonly goodput: number;
  /**
   * Bytes in each direction relative to the source, minus the source itself: `(forward + back) / source - 1` in total.
   */
  readonly overheadForward: number;
  readonly overheadBack: number;
  readonly overhead: number;
  readonly wasteRatio: number;
  /** Frames completed by each mechanism, and the time from the first sign of loss, microseconds. */
  readonly recoveredRetransmission: number;
  readonly recoveredRepair: number;
  readonly recoveredBoth: number;
  readonly recoveryUsP50Retransmission: number | null;
  readonly recoveryUsP95Retransmission: number | null;
  readonly recoveryUsP50Repair: number | null;
  readonly recoveryUsP95Repair: number | null;
  readonly recoveryUsP50Both: number | null;
  readonly recoveryUsP95Both: number | null;
  /**
   * Interarrival jitter (RFC 3550 §6.4.1), microseconds: over all media packets, and over the first packets of frames.
   */
  readonly jitterUs: number | null;
  readonly jitterFirstUs: number | null;
  /**
   * Limit that the capacity of the path sets to any sender (lab/oracle/), and the distance from it: share of frames
   * that cannot be in time, greatest goodput, and the same for a source that knows the past capacity exactly. `null`
   * where the path does not limit the rate, or the source does not adapt.
   */
  readonly limitMissRatio: number | null;
  readonly missAboveLimit: number | null;
  readonly limitGoodput: number | null;
  readonly goodputOfLimit: number | null;
  readonly causalMissRatio: number | null;
  readonly causalGoodput: number | null;
  /** Simulated time, microseconds. */
  readonly simulatedUs: number;
  /** Bytes of retransmissions and repair packets that left too late for the deadline of their frame; 0 for TCP. */
  readonly bytesLate: number;
  /** Packets of a frame, mean and greatest; `null` for TCP. */
  readonly framePackets: number | null;
  readonly framePacketsMax: number | null;
  /** Bits per second that left the forward path, with all headers, whether in time or not. */
  readonly throughput: number;
  /** Retransmissions and repair packets (TCP: segments sent again), and those of them lost on the forward path. */
  readonly retransmissionsSent: number;
  readonly retransmissionsLost: number;
  readonly repairsSent: number;
  readonly repairsLost: number;
  /** Datagrams of each path lost by its loss stage, and dropped by its queue. */
  readonly datagramsLostForward: number;
  readonly datagramsDroppedForward: number;
  readonly datagramsLostBack: number;
  readonly datagramsDroppedBack: number;
  /** Profile of the end hosts. */
  readonly host: string;
}
