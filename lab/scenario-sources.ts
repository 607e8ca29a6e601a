import { stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { causeOf, Failure } from '../io/os/failure.ts';
import type { SoundSource } from '../io/sources/media-source.ts';
import { openMediaSource } from '../io/sources/open-source.ts';
import type { AccessUnit } from '../protocol/access-unit.ts';
import { CLOCK_RATE } from '../protocol/base/units.ts';
import { codecByName } from '../protocol/codec/codecs.ts';
import type { CellSource } from './cell-source.ts';
import { hashUnits, type PackedUnits, packUnits } from './packed-units.ts';
import { manyOf, type Scenario, type ScenarioSource } from './scenario.ts';
import type { CellSound } from './sound/cell-sound.ts';
import { syntheticSources } from './synthetic-sources.ts';

/** Sources of a scenario, with lists expanded, and the contents of its files. */
export interface ScenarioSources {
  readonly descriptions: readonly CellSource[];
  readonly files: ReadonlyMap<string, PackedUnits>;
}

/** Size limit of a file: all access units are held in memory, so minutes of video, not hours. */
const FILE_BYTES_MAX = 1_000_000_000;
const MEDIA_BITRATE = 4_000_000;
const MEDIA_GOP = 60;

/**
 * @param path path of the scenario file; its folder is the base of relative paths.
 * @param warn receives warnings.
 */
export async function openSources(
  scenario: Scenario,
  path: string,
  warn: (message: string) => void,
): Promise<ScenarioSources> {
  const descriptions: CellSource[] = [];
  const files = new Map<string, PackedUnits>();
  const sources = manyOf(scenario.source);
  for (const [index, source] of sources.entries()) {
    if (!('file' in source)) {
      descriptions.push(...syntheticSources(source));
      continue;
    }
    const field = Array.isArray(scenario.source) ? `source[${index}].file` : 'source.file';
    const place = `${basename(path)}: ${field}`;
    const { description, units, sound } = await readFileSource(source, folderOf(path), place, warn);
    descriptions.push(description);
    files.set(description.kind === 'file' ? description.sha256 : '', units);
    if (description.sound?.kind === 'file' && sound) files.set(description.sound.sha256, sound);
  }
  return { descriptions, files };
}

async function readFileSource(
  source: Extract<ScenarioSource, { readonly file: string }>,
  folder: string,
  place: string,
  warn: (message: string) => void,
): Promise<{ readonly description: CellSource; readonly units: PackedUnits; readonly sound?: PackedUnits }> {
  const path = resolve(folder, source.file);
  const found = await stat(path).catch((error) => {
    throw new Failure(`${place}: cannot read ${source.file}: ${causeOf(error)}`, 2);
  });
  if (found.size > FILE_BYTES_MAX) {
    throw new Failure(`${place}: ${source.file} has ${found.size} bytes, but at most ${FILE_BYTES_MAX} are allowed`, 2);
  }
  const encode = { encode: 'auto', copies: ['h264'], bitrate: MEDIA_BITRATE, gop: MEDIA_GOP } as const;
  const media = await openMediaSource(path, {
    ...encode,
    sound: source.sound ? {} : undefined,
    framesPerSecond: source.fps,
    warn,
  });
  const units: AccessUnit[] = [];
  let heard: ReadSound | undefined;
  try {
    for await (const unit of media.units()) {
      const first = units[0]?.decodeTimestamp ?? unit.decodeTimestamp;
      if (source.seconds !== undefined && unit.decodeTimestamp - first >= source.seconds * CLOCK_RATE) break;
      units.push(unit);
    }
    if (source.sound && media.sound && units.length > 0) heard = await readSound(media.sound, units);
  } finally {
    await media.close();
  }
  if (units.length < 2)
    throw new Failure(`${place}: ${source.file} has only ${units.length} pictures; at least 2 are needed`, 2);
  if (source.sound && !heard) throw new Failure(`${place}: ${source.file} has no sound beside these pictures`, 2);
  const packed = packUnits(units);
  const keys = units.filter((unit) => unit.importance === 'key').length;
  const ticks = units.at(-1)!.decodeTimestamp - units[0]!.decodeTimestamp;
  const description: CellSource = {
    kind: 'file',
    name: basename(source.file),
    sha256: hashUnits(packed),
    frames: units.length,
    framesPerSecond: ((units.length - 1) * CLOCK_RATE) / Math.max(1, ticks),
    bytes: packed.bytes.byteLength,
    keyInterval: Math.round(units.length / Math.max(1, keys)),
    ...(heard && { sound: heard.description }),
  };
  return { description, units: packed, ...(heard && { sound: heard.units }) };
}

interface ReadSound {
  readonly description: CellSound;
  readonly units: PackedUnits;
}

/** Reads the sound beside these pictures; `undefined` when there is none. */
async function readSound(source: SoundSource, pictures: readonly AccessUnit[]): Promise<ReadSound | undefined> {
  const from = pictures[0]!.decodeTimestamp;
  const to = pictures.at(-1)!.decodeTimestamp;
  const units: AccessUnit[] = [];
  for await (const unit of source.units()) {
    if (unit.timestamp > to) break;
    if (unit.timestamp >= from) units.push(unit);
  }
  if (units.length === 0) return undefined;
  const { codecName, clockRate, parameterSets } = source.description;
  const packed = packUnits(units);
  const unitTicks = codecByName(codecName).sound?.durationOf(units[0]!.parts, parameterSets) ?? 0;
  const description: CellSound = {
    kind: 'file',
    ...{ codec: codecName, clockRate, unitTicks },
    sha256: hashUnits(packed),
    units: units.length,
    bytes: packed.bytes.byteLength,
  };
  return { description, units: packed };
}

export const folderOf = (file: string): string => dirname(resolve(file));
