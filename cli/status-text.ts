import { type Tone, toned } from '../io/os/terminal-colors.ts';

/** A figure of a status line, with a tone where it calls for attention. */
export type StatusPart = string | { readonly text: string; readonly tone: Tone };

/** Figures of a run in the order of their weight; the last ones are left out where the line is too narrow. */
export type Status = readonly StatusPart[];

const SEPARATOR = ' · ';

const textOf = (part: StatusPart): string => (typeof part === 'string' ? part : part.text);

/** All figures in one line, for a log. */
export const statusInFull = (status: Status): string => status.map(textOf).join(SEPARATOR);

/** The figures that fit in a width, which is counted without colors. */
export function fitStatus(
  status: Status,
  { width, color }: { readonly width: number; readonly color: boolean },
): string {
  const parts: string[] = [];
  let room = width;
  for (const part of status) {
    const separator = parts.length === 0 ? 0 : SEPARATOR.length;
    // The most telling figure is shown in any width, cut if it must be.
    const text = parts.length === 0 ? textOf(part).slice(0, room) : textOf(part);
    if (text.length + separator > room) break;
    room -= text.length + separator;
    parts.push(color && typeof part !== 'string' ? toned(text, part.tone) : text);
  }
  return parts.join(SEPARATOR);
}

/** A count that is good news at zero. */
export function countPart(count: number, text: string, tone: Tone): StatusPart {
  return count > 0 ? { text, tone } : text;
}

/** Place in the stream, and its duration where it has one: `0:12 / 0:30`. */
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
