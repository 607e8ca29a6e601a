import type { ColumnKind } from '../store/columns.ts';

/**
 * Figures of the sound of a cell, and of both streams together. Counts and times are integers; `null` where a value
 * cannot be computed.
 */
export interface SoundFigures {
  /** Codec and rate: `opus 96kbps`. */
  readonly sound: string | null;

  /** Access units captured after the warm-up, each in exactly one class, as frames are. */
  readonly soundUnits: number | null;
  readonly soundOnTime: number | null;
  readonly soundRecovered: number | null;
  readonly soundLate: number | null;
  readonly soundMended: number | null;
  readonly soundOverdue: number | null;
  readonly soundIncomplete: number | null;
  readonly soundNeverArrived: number | null;
  readonly soundUndecodable: number | null;
  readonly soundRefused: number | null;

  /** Sound that was not there when it was due, and has to be concealed: share of the time, and milliseconds. */
  readonly soundConcealedRatio: number | null;
  readonly soundConcealedMs: number | null;
  /** Gaps: runs of concealed units; lengths in milliseconds. */
  readonly soundGaps: number | null;
  readonly soundGapMsMean: number | null;
  readonly soundGapMsP95: number | null;
  readonly soundGapMsMax: number | null;
  /** Distance between the picture shown and the sound heard with it, microseconds, over the pictures shown. */
  readonly syncUsP50: number | null;
  readonly syncUsP95: number | null;
  readonly syncUsP99: number | null;

  /** As the columns of the pictures; `null` over TCP, which carries both streams in one. */
  readonly soundPacketsSent: number | null;
  readonly soundPacketsLost: number | null;
  readonly soundPacketsResidual: number | null;
  /** Bytes of the access units; those of retransmissions and repair packets, and their share of the former. */
  readonly soundBytesSource: number | null;
  readonly soundBytesRetransmission: number | null;
  readonly soundBytesRepair: number | null;
  readonly soundProtection: number | null;

  /** Both streams in sum. */
  readonly sumUnits: number | null;
  readonly sumInTime: number | null;
  readonly sumPacketsSent: number | null;
  readonly sumPacketsLost: number | null;
  readonly sumBytesSource: number | null;
  readonly sumBytesRetransmission: number | null;
  readonly sumBytesRepair: number | null;
}

/** Columns of the sound, which only answers with sound have. */
export const SOUND_COLUMNS: { readonly [Name in keyof SoundFigures]-?: ColumnKind } = {
  sound: 'text',
  soundUnits: 'whole',
  soundOnTime: 'whole',
  soundRecovered: 'whole',
  soundLate: 'whole',
  soundMended: 'whole',
  soundOverdue: 'whole',
  soundIncomplete: 'whole',
  soundNeverArrived: 'whole',
  soundUndecodable: 'whole',
  soundRefused: 'whole',
  soundConcealedRatio: 'real',
  soundConcealedMs: 'real',
  soundGaps: 'whole',
  soundGapMsMean: 'real',
  soundGapMsP95: 'real',
  soundGapMsMax: 'real',
  syncUsP50: 'whole',
  syncUsP95: 'whole',
  syncUsP99: 'whole',
  soundPacketsSent: 'whole',
  soundPacketsLost: 'whole',
  soundPacketsResidual: 'whole',
  soundBytesSource: 'whole',
  soundBytesRetransmission: 'whole',
  soundBytesRepair: 'whole',
  soundProtection: 'real',
  sumUnits: 'whole',
  sumInTime: 'whole',
  sumPacketsSent: 'whole',
  sumPacketsLost: 'whole',
  sumBytesSource: 'whole',
  sumBytesRetransmission: 'whole',
  sumBytesRepair: 'whole',
};

/** Figures of a cell without sound, in an answer in which other cells have it. */
export const NO_SOUND = Object.fromEntries(Object.keys(SOUND_COLUMNS).map((name) => [name, null])) as unknown as {
  readonly [Name in keyof SoundFigures]: null;
};
