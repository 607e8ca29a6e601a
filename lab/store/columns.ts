import type { FrameRecord, SummaryRow } from '../tables.ts';

/** Kind of a column: text, integers, or numbers with fractions or `Infinity`. */
export type ColumnKind = 'text' | 'whole' | 'real';

/** All columns of the summary, in order. */
export const SUMMARY_COLUMNS: { readonly [Name in keyof SummaryRow]-?: ColumnKind } = {
  cell: 'text',
  strategy: 'text',
  parameters: 'text',
  source: 'text',
  forward: 'text',
  back: 'text',
  seed: 'whole',
  budgetMs: 'real',
  release: 'text',
  linkLoss: 'real',
  linkBurst: 'real',
  linkDelayMs: 'real',
  linkRttMs: 'real',
  linkRate: 'real',
  framesPerSecond: 'real',
  keyInterval: 'whole',
  sourceRate: 'whole',
  frames: 'whole',
  framesOnTime: 'whole',
  framesRecovered: 'whole',
  framesLate: 'whole',
  framesMended: 'whole',
  framesOverdue: 'whole',
  framesIncomplete: 'whole',
  framesNeverArrived: 'whole',
  framesUndecodable: 'whole',
  framesRefused: 'whole',
  framesCompleteInTime: 'whole',
  framesInTime: 'whole',
  framesDecodable: 'whole',
  framesRendered: 'whole',
  onTimeRatio: 'real',
  missRatio: 'real',
  decodableRatio: 'real',
  delayUsP50: 'real',
  delayUsP95: 'real',
  delayUsP99: 'real',
  delayUsP999: 'real',
  delayUsMax: 'real',
  deliveredUsMean: 'real',
  deliveredUsP50: 'real',
  deliveredUsP95: 'real',
  deliveredUsP99: 'real',
  deliveredUsP999: 'real',
  deliveredUsMax: 'real',
  inTimeUsP50: 'real',
  inTimeUsP95: 'real',
  renderUsP50: 'real',
  renderUsP95: 'real',
  renderUsP99: 'real',
  freezes: 'whole',
  freezeUs: 'whole',
  pauses: 'whole',
  pauseUs: 'whole',
  freezesLibwebrtc: 'whole',
  freezeUsLibwebrtc: 'whole',
  freezesTambur: 'whole',
  freezeUsTambur: 'whole',
  stallUs: 'whole',
  watchedUs: 'whole',
  stallRatio: 'real',
  packetsSent: 'whole',
  packetsLost: 'whole',
  packetsResidual: 'whole',
  packetsLate: 'whole',
  burstsBefore: 'whole',
  burstMeanBefore: 'real',
  burstMaxBefore: 'whole',
  burstsAfter: 'whole',
  burstMeanAfter: 'real',
  burstMaxAfter: 'whole',
  bytesSource: 'whole',
  bytesGood: 'whole',
  bytesForward: 'whole',
  bytesBack: 'whole',
  bytesRetransmission: 'whole',
  bytesRepair: 'whole',
  bytesWasted: 'whole',
  datagramsForward: 'whole',
  datagramsBack: 'whole',
  goodput: 'whole',
  overheadForward: 'real',
  overheadBack: 'real',
  overhead: 'real',
  wasteRatio: 'real',
  recoveredRetransmission: 'whole',
  recoveredRepair: 'whole',
  recoveredBoth: 'whole',
  recoveryUsP50Retransmission: 'real',
  recoveryUsP95Retransmission: 'real',
  recoveryUsP50Repair: 'real',
  recoveryUsP95Repair: 'real',
  recoveryUsP50Both: 'real',
  recoveryUsP95Both: 'real',
  jitterUs: 'whole',
  jitterFirstUs: 'whole',
  limitMissRatio: 'real',
  missAboveLimit: 'real',
  limitGoodput: 'whole',
  goodputOfLimit: 'real',
  causalMissRatio: 'real',
  causalGoodput: 'whole',
  simulatedUs: 'whole',
  bytesLate: 'whole',
  framePackets: 'real',
  framePacketsMax: 'whole',
};

/** All columns of the frame table except the cell's, in order. */
export const FRAME_COLUMNS: { readonly [Name in keyof FrameRecord]-?: ColumnKind } = {
  frame: 'whole',
  type: 'text',
  bytes: 'whole',
  packets: 'whole',
  capturedAt: 'whole',
  sentAt: 'whole',
  completeAt: 'whole',
  decodableAt: 'whole',
  renderedAt: 'whole',
  lossSeenAt: 'whole',
  mechanism: 'text',
  class: 'text',
};

/** A value of a table; `null` when absent. */
export type TableValue = string | number | null;

/** Formats records as CSV (RFC 4180, with LF line ends): `inf` for infinity, empty for `null`. */
export function csv<Row extends object>(
  columns: { readonly [Name in keyof Row]-?: ColumnKind },
  rows: readonly Row[],
): string {
  const names = Object.keys(columns) as (keyof Row & string)[];
  const lines = [names.join(',')];
  for (const row of rows) lines.push(names.map((name) => field(row[name] as TableValue)).join(','));
  return `${lines.join('\n')}\n`;
}

function field(value: TableValue): string {
  if (value === null) return '';
  if (value === Number.POSITIVE_INFINITY) return 'inf';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
