import { type TerminalTone, toned } from '../io/os/terminal-colors.ts';

/** A figure of a status line, with a tone when it needs attention. */
export type StatusPart = string | { readonly text: string; readonly tone: TerminalTone };

/** Figures of a run, most important first; the last ones are omitted when the line is too narrow. */
export type Status = readonly StatusPart[];

const SEPARATOR = ' · ';

const textOf = (part: StatusPart): string => (typeof part === 'string' ? part : part.text);

/** Returns all figures in one line, for a log. */
export const statusInFull = (status: Status): string => status.map(textOf).join(SEPARATOR);

/** Returns the figures that fit in a width, characters without color codes. */
export function fitStatus(
  status: Status,
  { width, color }: { readonly width: number; readonly color: boolean },
): string {
  const parts: string[] = [];
  let room = width;
  for (const part of status) {
    const separator = parts.length === 0 ? 0 : SEPARATOR.length;
    // The first figure is always shown, truncated if necessary.
    const text = parts.length === 0 ? textOf(part).slice(0, room) : textOf(part);
    if (text.length + separator > room) break;
    room -= text.length + separator;
    parts.push(color && typeof part !== 'string' ? toned(text, part.tone) : text);
  }
  return parts.join(SEPARATOR);
}

/** Returns a count, with a tone when it is above zero. */
export function countPart(count: number, text: string, tone: TerminalTone): StatusPart {
  return count > 0 ? { text, tone } : text;
}

/** Returns a bit rate: `850 kb/s`, `2.40 Mb/s`. */
export const rateText = (bitsPerSecond: number): string =>
  bitsPerSecond < 1e6 ? `${Math.round(bitsPerSecond / 1e3)} kb/s` : `${(bitsPerSecond / 1e6).toFixed(2)} Mb/s`;

/** Returns the position in the stream, and its duration if known: `0:12 / 0:30`. */
export function positionText({ seconds, of }: Position): string {
  return of === undefined ? timeText(seconds) : `${timeText(Math.min(seconds, of))} / ${timeText(of)}`;
}

export interface Position {
  readonly seconds: number;
  /** Duration of the source; `undefined` for a live or repeated one. */
  readonly of: number | undefined;
}

function timeText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number) => String(value).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}
