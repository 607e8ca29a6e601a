import type { TestPattern } from '../ffmpeg/encoder.ts';
import { Failure } from '../os/failure.ts';

/** Longest side, pixels: 8K, enough for libx264. */
const SIDE_MAX = 8192;
const RATE_MAX = 240;

/**
 * Parses `testsrc[=WIDTHxHEIGHT][@RATE][:SECONDS]`, such as `testsrc=640x360@25:10`; default: 1280x720 at 30 frames per
 * second, endless. Returns `undefined` for other inputs.
 * @throws {Failure} for a malformed pattern.
 */
export function parseTestPattern(input: string): TestPattern | undefined {
  if (!/^testsrc(?![\w.\-/\\])/.test(input)) return undefined;
  const match = /^testsrc(?:=(\d+)x(\d+))?(?:@(\d+(?:\.\d+)?))?(?::(\d+(?:\.\d+)?)s?)?$/.exec(input);
  const width = Number(match?.[1] ?? 1280);
  const height = Number(match?.[2] ?? 720);
  const framesPerSecond = Number(match?.[3] ?? 30);
  const durationSeconds = match?.[4] === undefined ? undefined : Number(match[4]);
  const isPossible = isSide(width) && isSide(height) && framesPerSecond >= 1 && framesPerSecond <= RATE_MAX;
  if (match === null || !isPossible || durationSeconds === 0) {
    const form = 'testsrc[=WIDTHxHEIGHT][@FRAMES-PER-SECOND][:SECONDS]';
    throw new Failure(
      `${input} is not a test pattern: write ${form} with even sides from 16 to ${SIDE_MAX}, such as testsrc=640x360@30:10`,
      2,
    );
  }
  return { width, height, framesPerSecond, durationSeconds };
}

function isSide(side: number): boolean {
  return side >= 16 && side <= SIDE_MAX && side % 2 === 0;
}
