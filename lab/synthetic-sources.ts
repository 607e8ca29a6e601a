import type { CellSource } from './cell-source.ts';
import { manyOf, type ScenarioSource } from './scenario.ts';

/** Returns the sources of a scenario's entry that needs no file, with lists expanded. */
export function syntheticSources(source: Exclude<ScenarioSource, { readonly file: string }>): readonly CellSource[] {
  if ('synthetic' in source) return expanded(source.synthetic);
  const { fps, kbpsMin, kbpsMax, seconds } = source.adaptive;
  return [{ kind: 'adaptive', fps, kbpsMin, kbpsMax, keyInterval: 0, frames: Math.ceil(seconds * fps) }];
}

type Synthetic = Extract<ScenarioSource, { readonly synthetic: unknown }>['synthetic'];

function expanded({ fps, kbps, keyInterval, keyFrameRatio, seconds }: Synthetic): CellSource[] {
  const result: CellSource[] = [];
  for (const rate of manyOf(fps)) {
    for (const kilobits of manyOf(kbps)) {
      for (const interval of manyOf(keyInterval)) {
        result.push({
          kind: 'synthetic',
          fps: rate,
          kbps: kilobits,
          keyInterval: interval,
          keyFrameRatio,
          frames: Math.ceil(seconds * rate),
        });
      }
    }
  }
  return result;
}
