import { alignedText } from '../lab/report/text-table.ts';
import { lateIn, lostIn, recoveredIn } from '../session/run/class-summary.ts';
import {
  encryptionName,
  framesLate,
  framesLost,
  packetsRecovered,
  type RunSummary,
  transportName,
} from '../session/run/run-summary.ts';
import type { SoundSummary } from '../session/run/sound-summary.ts';
import { type Position, positionText, type Status, type StatusPart } from './status-text.ts';

const percent = (part: number, whole: number): string => {
  if (whole === 0) return '–';
  const share = (part / whole) * 100;
  return `${share === 0 ? '0' : share < 0.1 ? share.toFixed(3) : share.toFixed(1)} %`;
};
const ms = (value: number | null): string => (value === null ? '–' : `${value.toFixed(1)} ms`);
const kilobytes = (bytes: number): string => `${(bytes / 1_000).toFixed(bytes < 100_000 ? 1 : 0)} kB`;

/** Formats the summary of a run for people: frames and packets by outcome, delays, bytes. */
export function summaryText(summary: RunSummary): string {
  const { frames, packets, playoutDelayMs, completionDelayMs, bytes } = summary;
  const shown = frames.onTime + frames.recovered + frames.late;
  const path = summary.link ? `, link ${summary.link}` : '';
  const withheld = summary.framesWithheld > 0 ? `; ${withheldText(summary)}` : '';
  const lines: [string, string][] = [
    [
      'stream',
      `${transportName(summary)}, ${encryptionName(summary)}, recovery ${summary.recovery}, latency ${summary.latencyMs} ms${path}`,
    ],
    [
      'frames',
      `${frames.total}: ${frames.onTime} on time, ${frames.recovered} recovered, ${framesLate(summary)} late${lateText(summary)}, ` +
        `${framesLost(summary)} lost (${percent(framesLost(summary), frames.total)})`,
    ],
    [
      'lost frames',
      `${frames.incomplete} incomplete, ${frames.neverArrived} never arrived, ${frames.undecodable} undecodable${withheld}`,
    ],
    [
      'packets',
      `${packets.total}: ${packets.onTime} on time, ${packets.reordered} reordered, ${packetsRecovered(summary)} recovered, ` +
        `${packets.late} late, ${packets.neverArrived} never arrived (${percent(packets.neverArrived, packets.total)})`,
    ],
    ['play-out delay', `p50 ${ms(playoutDelayMs.p50)}, p95 ${ms(playoutDelayMs.p95)}, p99 ${ms(playoutDelayMs.p99)}`],
    [
      'frame complete',
      `p50 ${ms(completionDelayMs.p50)}, p95 ${ms(completionDelayMs.p95)}, p99 ${ms(completionDelayMs.p99)} after the fastest transit`,
    ],
    ['round trip', ms(summary.roundTripMs)],
    [
      'bytes',
      `${kilobytes(bytes.payload)} of ${summary.media?.width === 0 ? 'sound' : 'video shown'}; headers: ${kilobytes(bytes.rtpHeaders)} RTP, ` +
        `${kilobytes(bytes.transportHeaders)} ${summary.transport === 'tcp' ? 'TCP' : 'UDP'}, ${kilobytes(bytes.ipHeaders)} IP` +
        `${summary.transport === 'tcp' ? ` (${bytes.headersCounted})` : ''}`,
    ],
  ];
  if (summary.sound) lines.push(...soundLines(summary.sound));
  if (summary.recordedFrames !== null) {
    const inTime = frames.onTime + frames.recovered - summary.framesCutAway;
    lines.push(['recording', `${summary.recordedFrames} frames, ${inTime} shown in time`]);
  }
  if (summary.framesCutAway > 0) {
    lines.push([
      'cut away',
      `${summary.framesCutAway} frames by the edit list of the file, or its start: decoded, not shown`,
    ]);
  }
  if (summary.lateKeyFrames) lines.push(['late key frames', lateKeyText(summary.lateKeyFrames)]);
  if (summary.modeledTcp) lines.push(['modelled TCP', modeledTcpText(summary.modeledTcp)]);
  if (summary.framesPossiblyDamaged > 0) {
    const count = `${summary.framesPossiblyDamaged} of the frames shown`;
    lines.push(['possibly damaged', `${count}: decoding started at a picture not declared as a random access point`]);
  }
  if (summary.hostDrops) lines.push(['this computer', `dropped ${hostDropsText(summary.hostDrops)}`]);
  if (summary.sendsRefused.sender + summary.sendsRefused.receiver > 0) {
    lines.push(['not sent', refusedText(summary.sendsRefused)]);
  }
  if (summary.notAuthentic) {
    lines.push(['refused', `${summary.notAuthentic} forged or replayed datagrams`]);
  }
  if (shown === 0) lines.push(['note', 'no frame was shown']);
  if (summary.stalledForMs >= STALLED_MS) lines.push(['stalled', stalledText(summary)]);
  if (summary.sessions > 1) lines.push(['sessions', `${summary.sessions}: ${sessionsText(summary)}`]);
  return alignedText(lines);
}

/** The same for sound. */
function soundLines({ frames, packets, concealedMs, bytes }: SoundSummary): [string, string][] {
  return [
    [
      'sound',
      `${frames.total} units: ${frames.onTime} on time, ${frames.recovered} recovered, ${lateIn(frames)} late, ` +
        `${lostIn(frames)} lost (${percent(lostIn(frames), frames.total)}); ${concealedMs} ms to conceal`,
    ],
    [
      'sound packets',
      `${packets.total}: ${packets.onTime} on time, ${packets.reordered} reordered, ${recoveredIn(packets)} recovered, ` +
        `${packets.late} late, ${packets.neverArrived} never arrived; ${kilobytes(bytes.payload)} of sound`,
    ],
  ];
}

/**
 * Known cause of withheld frames. The sender attributes missing packets to the path, which is certain only when this
 * computer is known to have dropped none.
 */
function withheldText({ framesWithheld, hostDrops, transport, media }: RunSummary): string {
  const left = `${framesWithheld} more were not sent, because`;
  if (hostDrops === 0 || transport === 'tcp') {
    const remedy = media?.mode === 'copy' ? ', to which send --rate auto adapts the picture' : '';
    return `${left} the path has too little capacity${remedy}`;
  }
  return hostDrops === null
    ? `${left} less arrived than was sent`
    : `${left} less arrived than was sent, and this computer dropped some of it`;
}

const SESSION_TEXTS: Readonly<Record<RunSummary['sessionCauses'][number], string>> = {
  first: '',
  'tcp-instead': 'no datagram arrived over UDP, so the stream switched to TCP',
  'path-silent': 'datagrams stopped, though the sender answered on TCP',
  'media-outage': 'frames stopped, though the sender answered on TCP',
  'no-media': 'no frame arrived, though the sender answered on TCP',
  'sender-stopped': 'the sender stopped and returned',
  'connection-closed': 'the connection to the sender closed and was reopened',
  'path-failed': 'the media path could not be opened, or failed at this end',
  'source-restarted': 'the source restarted',
};

/** Why there was more than one session, each cause once, with its number where it is not the only one. */
function sessionsText({ sessionCauses, sessions }: RunSummary): string {
  const counts = new Map<string, number>();
  for (const cause of sessionCauses.slice(1)) counts.set(cause, (counts.get(cause) ?? 0) + 1);
  const texts = [...counts].map(([cause, count]) => {
    const text = SESSION_TEXTS[cause as keyof typeof SESSION_TEXTS];
    return count > 1 ? `${text} (${count} times)` : text;
  });
  if (sessions > sessionCauses.length) texts.push(`${sessions - sessionCauses.length} more`);
  return texts.join('; ');
}

const hostDropsText = (drops: number): string =>
  `at least ${drops} datagrams before they were read: this computer was too slow for the stream; the path did not lose them`;

function refusedText({ sender, receiver }: RunSummary['sendsRefused']): string {
  const parts: string[] = [];
  if (sender > 0) parts.push(`${sender} datagrams of the sender`);
  if (receiver > 0) parts.push(`${receiver} of this receiver`);
  return `${parts.join(' and ')} were refused by the operating system there`;
}

/** Outcome of the late frames that were not shown. */
function lateText({ frames }: RunSummary): string {
  const parts: string[] = [];
  if (frames.mended > 0) parts.push(`${frames.mended} mended and only decoded`);
  if (frames.overdue > 0) parts.push(`${frames.overdue} dropped`);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

function lateKeyText({ frames, latencyMs }: NonNullable<RunSummary['lateKeyFrames']>): string {
  return `${frames} arrived too late to be shown in time: --latency ${latencyMs} would do`;
}

/** Shortest stall reported, milliseconds; a shorter one is a late frame, which is counted when it arrives. */
const STALLED_MS = 500;

function stalledText({ stalledForMs, media }: RunSummary): string {
  const due = media?.framesPerSecond
    ? `, about ${Math.round((stalledForMs / 1_000) * media.framesPerSecond)} frames`
    : '';
  return `for ${(stalledForMs / 1_000).toFixed(1)} s at the end${due}, not included in the figures above`;
}

function modeledTcpText(model: NonNullable<RunSummary['modeledTcp']>): string {
  const { segments, bytes, retransmittedBytes, timeouts } = model;
  const again = model.fastRetransmissions + model.timeoutRetransmissions + model.tailRetransmissions;
  return (
    `${segments} segments, ${again} of them retransmitted (${percent(retransmittedBytes, bytes)} of the bytes), ` +
    `${timeouts} timeouts`
  );
}

/** Figures of a running session for its status line, the most telling first. */
export function receiverStatus(summary: RunSummary, bitrate: number | null, position: Position | undefined): Status {
  const { frames } = summary;
  const { lost, late } = { lost: framesLost(summary), late: framesLate(summary) };
  const status: StatusPart[] = [];
  if (summary.stalledForMs >= STALLED_MS) {
    status.push({ text: `STALLED for ${(summary.stalledForMs / 1_000).toFixed(1)} s`, tone: 'bad' });
  }
  if (position) status.push(positionText(position));
  status.push(lost > 0 ? { text: `${lost} of ${frames.total} lost`, tone: 'bad' } : '0 lost');
  if (late > 0) status.push({ text: `${late} late`, tone: 'caution' });
  const silent = summary.sound?.concealedMs ?? 0;
  if (silent > 0) status.push({ text: `${silent} ms of sound missing`, tone: 'bad' });
  if (summary.lateKeyFrames) {
    status.push({ text: `late key frames: --latency ${summary.lateKeyFrames.latencyMs} would do`, tone: 'caution' });
  }
  if (summary.hostDrops) status.push({ text: `${summary.hostDrops} dropped by this computer`, tone: 'bad' });
  status.push(`delay ${wholeMs(summary.playoutDelayMs.p50)}`, `${frames.recovered} recovered`);
  if (bitrate !== null) status.push(`${(bitrate / 1e6).toFixed(2)} Mb/s`);
  status.push(encryptionName(summary));
  status.push(`rtt ${wholeMs(summary.roundTripMs)}`, `95 % of delays: ${wholeMs(summary.playoutDelayMs.p95)}`);
  if (summary.modeledTcp) status.push(transportName(summary));
  return status;
}

const wholeMs = (value: number | null): string => (value === null ? '–' : `${Math.round(value)} ms`);
