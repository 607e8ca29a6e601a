import type { FrameClass } from '../../protocol/frame-class.ts';
import { type Frame, isShown, type LaneLog, type Packet } from './lane-log.ts';
import { clock } from './lane-words.ts';
import { fateOf } from './packet-timeline.ts';
import { counted, SPACE } from './text.ts';

const CLASS_LABELS: Readonly<Record<FrameClass, string>> = {
  onTime: 'Shown on time',
  recovered: 'Shown on time, after recovery',
  late: 'Shown late',
  incomplete: 'Never shown: incomplete at its deadline',
  neverArrived: 'Never shown: no packet arrived before its deadline',
  mended: 'Late, mended: decoded for the frames that refer to it, never shown',
  undecodable: 'Never shown: a reference frame was lost',
};

/** A first packet sent later than this after capture waited in a queue, milliseconds; pacing takes less. */
const QUEUED_MS = 25;

const KINDS = { media: 'video', again: 'retransmission', repair: 'repair', control: 'control' } as const;

/** Returns the name of a frame's picture: its number in the video, as a counter in it shows, and its time. */
export function pictureName({ number, picture, positionMs }: Frame): string {
  if (positionMs === undefined) return `frame ${number}`;
  const time = clock(positionMs);
  return picture === undefined ? `picture at ${time}` : `picture ${picture} (${time})`;
}

/**
 * Returns the name of a lane and its picture, a summary of the frame and a table row per packet, with times since capture;
 * `undefined` when the frame has left the log.
 */
export function frameDetails(log: LaneLog, number: number, lane: string): readonly HTMLElement[] | undefined {
  const frame = log.frames.get(number);
  const packets = log.packetsOf(number);
  if (!frame || packets.length === 0) return undefined;
  const table = document.createElement('table');
  table.append(row('th', ['packet', 'sent', 'arrived', 'outcome']));
  for (const packet of packets) {
    const line = row('td', describe(packet, frame));
    line.dataset.fate = fateOf(packet);
    table.append(line);
  }
  const name = document.createElement('p');
  name.className = 'frame-name';
  name.textContent = `${lane}: ${pictureName(frame)}`;
  const words = document.createElement('p');
  words.textContent = summary(frame, packets);
  return [name, words, table];
}

function summary(frame: Frame, packets: readonly Packet[]): string {
  const lost = packets.filter((packet) => packet.lost && packet.kind === 'media').length;
  const video = packets.filter((packet) => packet.kind === 'media').length;
  const whole = frame.wholeMs === undefined ? 'never complete' : `complete after ${since(frame, frame.wholeMs)}`;
  const queued = packets.length > 0 ? packets[0]!.sentMs - frame.capturedMs : 0;
  const waited = queued > QUEUED_MS ? `It waited ${Math.round(queued)} ms in the sender's queue. ` : '';
  const decided = isShown(frame.class) ? '' : 'decided ';
  return (
    `${CLASS_LABELS[frame.class]}, ${decided}${since(frame, frame.decidedMs)} behind live. ${waited}` +
    `${counted(video, 'packet')}, ${lost} lost; ${whole}.`
  );
}

function describe(packet: Packet, frame: Frame): readonly string[] {
  const arrived = packet.arrivedMs === undefined ? '' : since(frame, packet.arrivedMs);
  return [KINDS[packet.kind], since(frame, packet.sentMs), arrived, fate(packet, frame)];
}

function fate(packet: Packet, frame: Frame): string {
  if (packet.lost) return 'lost';
  if (packet.arrivedMs === undefined) return 'in flight';
  if (packet.late) return 'arrived too late';
  if (packet.held) {
    return packet.freedMs === undefined
      ? 'waits for a missing packet'
      : `waited for a missing packet for ${Math.round(packet.freedMs - packet.arrivedMs)} ms, until ${since(frame, packet.freedMs)}`;
  }
  return packet.reordered ? 'arrived out of order' : 'arrived in order';
}

const since = (frame: Frame, atMs: number): string => `${(atMs - frame.capturedMs).toFixed(0)}${SPACE}ms`;

function row(kind: 'th' | 'td', cells: readonly string[]): HTMLTableRowElement {
  const line = document.createElement('tr');
  for (const content of cells) {
    const cell = document.createElement(kind);
    cell.textContent = content;
    line.append(cell);
  }
  return line;
}
