import { execFileSync } from 'node:child_process';

/** Mean luma above which a picture is a flash. */
const BRIGHT = 128;
/** Longest distance of a flash to its beep, seconds: less than half of the time between two of them. */
const PAIR_SECONDS = 0.4;

export interface FlashesAndBeeps {
  /** Times of the white frames and of the ends of the silences, seconds; the first beep has no silence before it. */
  readonly flashes: readonly number[];
  readonly beeps: readonly number[];
}

/** A flash, seconds, and the distance to its beep, milliseconds; positive when the sound is late. */
export interface Sync {
  readonly flash: number;
  readonly error: number;
}

/** Decodes a file with a flash and a beep each second: ffmpeg's pictures and sound, each at the time that the container gives. */
export function flashesAndBeeps(path: string): FlashesAndBeeps {
  const run = (parameters: readonly string[]) =>
    execFileSync('ffmpeg', ['-v', 'error', '-copyts', '-i', path, ...parameters], { maxBuffer: 1e9 });
  const means = run(['-map', '0:v', '-vf', 'signalstats,metadata=print:file=-', '-f', 'null', '-']).toString();
  const flashes: number[] = [];
  let at = 0;
  let wasBright = false;
  for (const line of means.split('\n')) {
    at = Number(/pts_time:(-?[\d.]+)/.exec(line)?.[1] ?? at);
    const mean = /YAVG=([\d.]+)/.exec(line)?.[1];
    if (mean === undefined) continue;
    const isBright = Number(mean) > BRIGHT;
    if (isBright && !wasBright) flashes.push(at);
    wasBright = isBright;
  }
  const heard = run([
    '-map',
    '0:a',
    '-af',
    'silencedetect=noise=-25dB:duration=0.2,ametadata=print:file=-',
    '-f',
    'null',
    '-',
  ]);
  const beeps = [...heard.toString().matchAll(/silence_end=(-?[\d.]+)/g)].map(([, end]) => Number(end));
  return { flashes, beeps };
}

/** Returns the distances of flashes to their beeps; a flash without a beep near it is left out. */
export function syncOf({ flashes, beeps }: FlashesAndBeeps): Sync[] {
  return flashes.flatMap((flash) => {
    const beep = beeps.find((at) => Math.abs(at - flash) < PAIR_SECONDS);
    return beep === undefined ? [] : [{ flash, error: (beep - flash) * 1_000 }];
  });
}
