import { CLOCK_RATE } from '../protocol/base/units.ts';
import { RENDITION_GROUP_SECONDS } from '../protocol/rendition-choice.ts';
import { syntheticUnitTicks } from '../sim/synthetic-sound.ts';
import type { CellSource } from './cell-source.ts';
import { manyOf, type ScenarioSource } from './scenario.ts';
import type { CellSound } from './sound/cell-sound.ts';

/** Returns the sources of a scenario's entry that needs no file, with lists expanded. */
export function syntheticSources(source: Exclude<ScenarioSource, { readonly file: string }>): readonly CellSource[] {
  if ('synthetic' in source) return expanded(source.synthetic);
  const { fps, kbpsMin, kbpsMax, renditions, seconds, sound } = source.adaptive;
  const frames = Math.ceil(seconds * fps);
  return soundsOf(sound, frames / fps).map((heard) => ({
    kind: 'adaptive',
    ...{ fps, kbpsMin, kbpsMax, frames },
    keyInterval: renditions === undefined ? 0 : Math.max(2, Math.round(fps * RENDITION_GROUP_SECONDS)),
    ...(renditions !== undefined && { renditions }),
    ...heard,
  }));
}

type Synthetic = Extract<ScenarioSource, { readonly synthetic: unknown }>['synthetic'];

/** The sound of each source; one source without where none is asked for. @param seconds of the pictures. */
function soundsOf(sound: Synthetic['sound'], seconds: number): readonly { readonly sound?: CellSound }[] {
  if (sound === undefined) return [{}];
  return manyOf(sound).map(({ codec, kbps }) => {
    const units = Math.ceil((seconds * CLOCK_RATE) / syntheticUnitTicks(codec));
    return { sound: { kind: 'synthetic', codec, kbps, units } };
  });
}

function expanded({ fps, kbps, keyInterval, keyFrameRatio, seconds, sound }: Synthetic): CellSource[] {
  const result: CellSource[] = [];
  for (const rate of manyOf(fps)) {
    for (const kilobits of manyOf(kbps)) {
      for (const interval of manyOf(keyInterval)) {
        const frames = Math.ceil(seconds * rate);
        for (const heard of soundsOf(sound, frames / rate)) {
          result.push({
            kind: 'synthetic',
            fps: rate,
            kbps: kilobits,
            keyInterval: interval,
            keyFrameRatio,
            frames,
            ...heard,
          });
        }
      }
    }
  }
  return result;
}
