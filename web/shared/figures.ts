import type { PageDescription, PageStatistics } from '../../protocol/page/page-message.ts';

const DASH = '–';
/** Between a number and its unit: a space that does not break. */
const SPACE = '\u00a0';

export type FigureTone = 'plain' | 'warn' | 'bad';

export interface Figure {
  readonly text: string;
  /** Shown smaller after the text. */
  readonly detail?: string;
  readonly tone?: FigureTone;
}

/** Formats a statistics record for the panel. Keys are the `data-figure` names of the page. */
export function statisticsFigures(record: PageStatistics): Readonly<Record<string, Figure>> {
  const { framesOnTime, framesLate, framesMended, framesLost, framesRecovered } = record;
  const { packets, packetsLost, packetsRecovered } = record;
  const late = (framesLate ?? 0) + (framesMended ?? 0);
  const frames = (framesOnTime ?? 0) + (framesRecovered ?? 0) + late + (framesLost ?? 0);
  return {
    delayP50: millisecondsFigure(record.delayMsP50),
    delayP95: millisecondsFigure(record.delayMsP95),
    lossRate: { text: percent(packetsLost, packets) ?? DASH },
    lossCount: { text: `${lossCount(packetsLost, packets)}${hostLosses(record)}` },
    packetsRecovered: share(packetsRecovered, packetsLost ?? 0, 'plain'),
    framesOnTime: share(framesOnTime, frames, 'plain'),
    framesRecovered: share(framesRecovered, frames, 'plain'),
    framesLate: share(framesLate, frames, 'warn'),
    framesMended: share(framesMended, frames, 'warn'),
    framesLost: share(framesLost, frames, 'bad'),
    transport: { text: record.transport?.toUpperCase() ?? DASH },
    recovery: { text: record.recovery ?? DASH },
    latency: millisecondsFigure(record.latencyMs),
    roundTrip: millisecondsFigure(record.roundTripMs),
    bitrate: { text: bitrate(record.bitrate) },
    link: { text: record.link === undefined || record.link === '' ? 'not impaired' : record.link },
  };
}

/** Describes a stream: `640 × 360 · 30 fps · avc1.42C01E`. */
export function format(description: PageDescription, codec: string): string {
  const { width, height } = description;
  // Sound alone has neither.
  const parts = width === 0 ? [] : [`${width} × ${height}`];
  if (description.framesPerSecond !== undefined) parts.push(`${+description.framesPerSecond.toFixed(2)} fps`);
  parts.push(codec === '' ? description.codec : codec);
  return parts.join(' · ');
}

export function millisecondsFigure(value: number | null | undefined): Figure {
  if (value === null || value === undefined) return { text: DASH };
  return { text: `${value < 10 ? value.toFixed(1) : Math.round(value)}${SPACE}ms` };
}

const count = (value: number): string => value.toLocaleString('en-US');

function share(part: number | undefined, whole: number, tone: FigureTone): Figure {
  if (part === undefined) return { text: DASH };
  const detail = percent(part, whole);
  return {
    text: count(part),
    ...(detail !== undefined && part > 0 ? { detail } : {}),
    tone: part > 0 ? tone : 'plain',
  };
}

function percent(part: number | undefined, whole: number | undefined): string | undefined {
  if (part === undefined || whole === undefined || whole === 0) return undefined;
  const value = (part / whole) * 100;
  return `${value === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(value < 1 ? 2 : 1)}${SPACE}%`;
}

function lossCount(lost: number | undefined, packets: number | undefined): string {
  return lost === undefined || packets === undefined ? DASH : `${count(lost)} of ${count(packets)}`;
}

/** Losses on the machines themselves, which the path is not to blame for. */
function hostLosses({ hostDrops, sendsRefused }: PageStatistics): string {
  const here = hostDrops === undefined ? '' : ` · ${count(hostDrops)} dropped by this computer`;
  const there = sendsRefused === undefined ? '' : ` · ${count(sendsRefused)} not sent by the sender's system`;
  return here + there;
}

function bitrate(value: number | null | undefined): string {
  if (value === null || value === undefined) return DASH;
  return value < 1_000_000
    ? `${Math.round(value / 1_000)}${SPACE}kb/s`
    : `${(value / 1_000_000).toFixed(2)}${SPACE}Mb/s`;
}
