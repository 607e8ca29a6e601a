import type { PathFit } from './fit-path.ts';

/** A path trace (`pathtrace=`) of the capture. @param delayUs least one-way delay, microseconds */
export function* pathRecording({ observation, delay }: PathFit, delayUs: number): Generator<string> {
  const { sent, arrived } = observation;
  const least = delay ? delay.measured.reduce((one, other) => Math.min(one, other)) - delayUs : 0;
  const ms = (us: number): string => String(Math.round(us) / 1_000);
  yield '# path trace of dropframe lab capture: time of sending and delay of each datagram in ms, or lost\n';
  let last = 0;
  for (let index = 0; index < sent.length; index++) {
    // Timestamps of pictures can go back; times of sending cannot.
    last = Math.max(last, sent[index]!);
    const at = arrived[index]!;
    const fate = Number.isNaN(at) ? 'lost' : delay ? ms(Math.max(0, at - last - least)) : ms(delayUs);
    yield `${ms(last)} ${fate}\n`;
  }
}
