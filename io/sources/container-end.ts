import type { ContainerEnd, ContainerFile } from './container-file.ts';
import type { EntryGate } from './entry-gate.ts';

/** Frame rate assumed where a file declares none, 1/s. */
const FRAMES_PER_SECOND_DEFAULT = 25;

/** Warns about a file whose stream ends early. */
export function reportEnd(
  input: string,
  reading: {
    readonly file: ContainerFile;
    readonly end: ContainerEnd;
    readonly gate: EntryGate;
    readonly warn: (message: string) => void;
  },
): void {
  const { file, end, gate, warn } = reading;
  const { durationSeconds, framesPerSecond = FRAMES_PER_SECOND_DEFAULT } = file;
  const { seconds, complaint, damagedSamples, wasRead, isCut } = end;
  if (!gate.isOpen || !wasRead) return;
  if (damagedSamples > 0) warn(`${input}: ${damagedSamples} pictures are damaged; their intact parts are streamed`);
  const missing = (durationSeconds ?? 0) - seconds;
  // A frame and a half: durations in headers are rounded.
  const isShort = missing > 0.5 + 1.5 / framesPerSecond;
  if (complaint === undefined && (isCut === false || (isCut === undefined && !isShort))) return;
  // A header may count the sound as well.
  const guess = 'the file is truncated, or the duration in its header is wrong';
  const reason = complaint ?? (isCut === true ? 'the file is truncated' : guess);
  const whole = durationSeconds === undefined ? '' : ` of ${durationSeconds.toFixed(1)} s`;
  warn(`${input}: the video ends after ${seconds.toFixed(1)} s${whole}: ${reason}`);
}
