import type { PathFit } from './fit-path.ts';

/** Bounds of a path trace, microseconds: one day, and one minute of delay. */
export const RECORDING_MAX = 86_400_000_000;
const DELAY_MAX = 60_000_000;

/** A path trace (`pathtrace=`) of the first day of a capture. @param delayUs least one-way delay, microseconds */
export function* pathRecording({ observation, delay }: PathFit, delayUs: number): Generator<string> {
  const { sent, arrived } = observation;
  const least = delay ? delay.measured.reduce((one, other) => Math.min(one, other)) - delayUs : 0;
  const ms = (us: number): string => String(Math.round(us) / 1_000);
  yield '# path trace of dropframe lab capture: time of sending and delay of each datagram in ms, or lost\n';
  let last = 0;
  for (let index = 0; index < sent.length; index++) {
    // Timestamps of pictures can go back; times of sending cannot.
    last = Math.max(last, sent[index]!);
    if (last > RECORDING_MAX) return;
    const at = arrived[index]!;
    const fate = Number.isNaN(at)
      ? 'lost'
      : delay
        ? ms(Math.min(DELAY_MAX, Math.max(0, at - last - least)))
        : ms(delayUs);
    yield `${ms(last)} ${fate}\n`;
  }
}
