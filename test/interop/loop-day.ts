import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, onTestFinished, vi } from 'vitest';
import { openRecording } from '../../io/mp4/recording.ts';
import type { MediaSource } from '../../io/sources/media-source.ts';
import { openMediaSource } from '../../io/sources/open-source.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { CLOCK_RATE } from '../../protocol/base/units.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import { Broadcast } from '../../session/stream/broadcast.ts';
import { all } from '../io/sources/media.ts';

/** Interval of the pictures, 90 kHz: one in two seconds makes a day short. */
export const INTERVAL = 2 * CLOCK_RATE;
/** Pictures of a round, the first of which is a key frame. */
export const ROUND = 7;
const HOURS = 24;
/** Those of whole rounds. */
export const PICTURES = Math.floor((HOURS * 1_800) / ROUND) * ROUND;

/** Makes a film of 14 s with B-frames and a second of sound, and opens it. */
export async function openFilm(folder: string): Promise<MediaSource> {
  const path = join(folder, 'film.mp4');
  const inputs = ['-f', 'lavfi', '-i', 'testsrc2=size=64x36:rate=1/2', '-f', 'lavfi', '-i', 'sine=sample_rate=8000'];
  const pictures = ['-frames:v', `${ROUND}`, '-c:v', 'libx264', '-bf', '1', '-g', `${ROUND}`];
  const sound = ['-af', 'atrim=end=1', '-c:a', 'aac', '-b:a', '8k'];
  execFileSync('ffmpeg', ['-v', 'error', '-nostdin', ...inputs, ...pictures, ...sound, path]);
  const options = { encode: 'copy', bitrate: 1_000_000, gop: 30, warn: () => {}, sound: {} } as const;
  const source = await openMediaSource(path, options);
  onTestFinished(() => source.close());
  return source;
}

/** Pictures of a source, with its sound where it is played too. */
export type Played = Pick<MediaSource, 'units'> & Partial<Pick<MediaSource, 'sound'>>;

/** The source without its sound. */
export const picturesAlone = (source: MediaSource): Played => ({ units: (pass) => source.units(pass) });

/** Plays a source in a loop for the day on a virtual clock, and hands over each unit when it is due. */
export async function playDay(
  { units, sound }: Played,
  take: (unit: AccessUnit, kind: 'picture' | 'sound') => void,
): Promise<void> {
  const [pictures, sounds] = [await all(units()), sound ? await all(sound.units()) : undefined];
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  try {
    let count = 0;
    const stalls: number[] = [];
    const day = new Broadcast({
      units: async function* () {
        yield* pictures;
      },
      ...(sounds && {
        sound: async function* () {
          yield* sounds;
        },
      }),
      loop: true,
      onUnit: (unit) => {
        if (++count <= PICTURES) take(unit, 'picture');
      },
      onSound: (unit) => {
        if (count <= PICTURES) take(unit, 'sound');
      },
      onEnd: (error) => {
        throw error;
      },
      onStall: (late) => stalls.push(late),
    });
    day.start();
    while (count < PICTURES) {
      await new Promise((resolve) => setImmediate(resolve));
      vi.advanceTimersToNextTimer();
    }
    day.stop();
    expect(stalls).toEqual([]);
  } finally {
    vi.useRealTimers();
  }
}

/** Records the day, as `send --record` does. */
export async function recordDay(source: MediaSource, path: string): Promise<void> {
  const { width = 0, height = 0, parameterSets, codecName } = source.description;
  const sound = source.sound?.description;
  const recording = await openRecording(path, { width, height, parameterSets, sound }, codecByName(codecName));
  const writes: Promise<void>[] = [];
  await playDay(source, (unit, kind) => {
    writes.push(kind === 'sound' ? recording.writeSound!(unit) : recording.write(unit));
  });
  await Promise.all(writes);
  await recording.close();
}

/** Times of the packets of a file as ffprobe reads them, milliseconds, in the order of the file. */
export function packetsOf(path: string, stream: 'v' | 'a') {
  const entries = ['-show_entries', 'packet=pts_time,dts_time', '-of', 'csv=p=0'];
  const parameters = ['-v', 'error', '-select_streams', stream, ...entries, path];
  return `${execFileSync('ffprobe', parameters, { maxBuffer: 256 * 1024 * 1024 })}`
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [shownAt = Number.NaN, decodedAt = Number.NaN] = line
        .split(',')
        .map((text) => Math.round(Number(text) * 1_000));
      return { shownAt, decodedAt };
    });
}
