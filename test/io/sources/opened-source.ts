import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { Failure } from '../../../io/os/failure.ts';
import { type MediaSourceOptions, openMediaSource } from '../../../io/sources/open-source.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { nalText, temporaryFolder } from './media.ts';

/** A source that is closed with the test, and its warnings. */
export async function open(input: string, options: Partial<MediaSourceOptions> = {}) {
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  const source = await openMediaSource(input, { encode: 'auto', bitrate: 1_000_000, gop: 30, warn, ...options });
  onTestFinished(() => source.close());
  return { source, warnings };
}

/** Opens a file of any content: returns a source, or an error in one line that names the file. */
export async function outcome(path: string): Promise<{ readonly count: number; readonly failure: string | undefined }> {
  let count = 0;
  try {
    const { source } = await open(path);
    for await (const _ of source.units()) count += 1;
    await source.close();
    return { count, failure: undefined };
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    return { count, failure: (error as Failure).message };
  }
}

/** Creates a file for the duration of the test. */
export function file(name: string, bytes: Uint8Array | string): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, bytes);
  return path;
}

/** Returns all NAL units of a stream. */
export const flat = (units: readonly AccessUnit[]): string[] => nalText(units).flat();
/** True when the stream can be decoded in this order, with each unit before its presentation. */
export const isInOrder = (units: readonly AccessUnit[]): boolean =>
  units.every((unit, index) => {
    const before = units[index - 1]?.decodeTimestamp ?? Number.NEGATIVE_INFINITY;
    return unit.decodeTimestamp <= unit.timestamp && unit.decodeTimestamp >= before;
  });
