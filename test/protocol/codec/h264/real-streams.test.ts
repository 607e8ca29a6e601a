import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { AccessUnitSplitter, type H264Picture } from '../../../../protocol/codec/h264/access-unit-splitter.ts';
import { parseDecoderConfiguration } from '../../../../protocol/codec/h264/decoder-configuration.ts';
import { H264ParameterSetTracker } from '../../../../protocol/codec/h264/parameter-sets.ts';
import { parsePictureParameterSet } from '../../../../protocol/codec/h264/picture-parameter-set.ts';
import { packPayloads, salvagePayloads, unpackPayloads } from '../../../../protocol/codec/h264/rtp-payload.ts';
import { codecString, parseSequenceParameterSet } from '../../../../protocol/codec/h264/sequence-parameter-set.ts';
import { AnnexBSplitter, joinAnnexB, splitAnnexB } from '../../../../protocol/codec/nal/annex-b.ts';
import { splitLengthPrefixed } from '../../../../protocol/codec/nal/length-prefixed.ts';
import { Timeline } from '../../../../protocol/codec/nal/timeline.ts';
import { optional } from '../../../optional.ts';
import { picturesOf } from './streams.ts';

const MEDIA = process.env.DROPFRAME_MEDIA ?? join(import.meta.dirname, '../../../../../shared/media');
const PRESENT = existsSync(MEDIA);
const withMedia = optional('../shared/media (or DROPFRAME_MEDIA)', PRESENT);
const withProbe = optional('ffprobe, and ../shared/media', PRESENT && spawnSync('ffprobe', ['-version']).status === 0);

const streams = PRESENT ? readdirSync(join(MEDIA, 'annexb')).map((name) => join('annexb', name)) : [];
const read = (path: string): Uint8Array => new Uint8Array(readFileSync(join(MEDIA, path)));
const same = (left: readonly Uint8Array[], right: readonly Uint8Array[]): boolean =>
  left.length === right.length && left.every((bytes, index) => Buffer.compare(bytes, right[index]!) === 0);

function stream(path: string): { nalUnits: Uint8Array[]; pictures: H264Picture[]; leftover: readonly Uint8Array[] } {
  const nalUnits = splitAnnexB(read(path));
  const splitter = new AccessUnitSplitter();
  return { nalUnits, pictures: picturesOf(nalUnits, splitter), leftover: splitter.leftover };
}

describe('each real byte stream', () => {
  withMedia('comes out of the splitter the same in chunks of any size', () => {
    for (const path of streams) {
      const bytes = read(path);
      const splitter = new AnnexBSplitter();
      const nalUnits: Uint8Array[] = [];
      for (let at = 0, size = 1; at < bytes.length; at += size, size = ((size * 7) % 6007) + 1) {
        nalUnits.push(...splitter.push(bytes.subarray(at, at + size)));
      }
      nalUnits.push(...splitter.flush());
      expect(same(nalUnits, splitAnnexB(bytes)), path).toBe(true);
    }
  });

  withMedia('has as many pictures as its manifest says, and loses no NAL unit', () => {
    const manifest = readFileSync(join(MEDIA, 'MANIFEST.md'), 'utf8');
    expect(streams.length).toBeGreaterThan(0);
    for (const path of streams) {
      const [, row] = manifest.split(`\n| ${path.replace('annexb/', '')} |`);
      const { nalUnits, pictures, leftover } = stream(path);
      expect(pictures.length, path).toBe(Number(/pics (\d+)/.exec(row ?? '')?.[1]));
      expect(same([...pictures.flatMap((picture) => picture.parts), ...leftover], nalUnits), path).toBe(true);
    }
  });

  withMedia('goes through payloads unchanged, NAL unit by NAL unit', () => {
    for (const path of streams) {
      for (const { parts } of stream(path).pictures) {
        for (const payloadBytesMax of [16, 1160]) {
          const result = unpackPayloads(packPayloads(parts, { payloadBytesMax, headroomBytes: 0 }));
          expect(result.ok && same(result.value, parts), path).toBe(true);
        }
      }
    }
  });

  withMedia('gets times that never decrease, and never show a picture before it is decoded', () => {
    for (const path of streams) {
      const { pictures } = stream(path);
      const timeline = new Timeline();
      const units = [...pictures.flatMap((picture) => timeline.push(picture)), ...timeline.flush()];
      expect(units.map((unit) => unit.parts)).toEqual(pictures.map((picture) => picture.parts));
      expect(new Set(units.map((unit) => unit.timestamp)).size, path).toBe(units.length);
      for (const [index, unit] of units.entries()) {
        expect(unit.timestamp, path).toBeGreaterThanOrEqual(unit.decodeTimestamp);
        expect(unit.decodeTimestamp, path).toBeGreaterThanOrEqual(units[index - 1]?.decodeTimestamp ?? -Infinity);
      }
    }
  });

  withProbe(
    'is shown in the order of ffmpeg',
    () => {
      for (const path of streams) expect(shownByUs(path), path).toEqual(shownByFfmpeg(path));
    },
    120_000,
  );
});

/** Frames in output order, by position in decode order; the two fields of a frame count as one. */
function shownByUs(path: string): number[] {
  const { pictures } = stream(path);
  const timeline = new Timeline();
  const units = [...pictures.flatMap((picture) => timeline.push(picture)), ...timeline.flush()];
  const timestamps: number[] = [];
  let awaitsSecondField = false;
  for (const [index, { field }] of pictures.entries()) {
    const { timestamp } = units[index]!;
    if (awaitsSecondField) timestamps.push(Math.min(timestamps.pop()!, timestamp));
    else timestamps.push(timestamp);
    awaitsSecondField = field !== 'frame' && !awaitsSecondField;
  }
  const ascending = [...timestamps.keys()].sort((left, right) => timestamps[left]! - timestamps[right]!);
  return ascending;
}

/** The same by ffprobe, which lists frames in output order with their positions in the file. */
function shownByFfmpeg(path: string): number[] {
  // Strict: when the stream does not declare its reordering, wait as long as the level allows.
  const options = ['-v', 'quiet', '-strict', '1', '-f', 'h264', '-show_entries', 'frame=pkt_pos', '-of', 'csv=p=0'];
  const lines = execFileSync('ffprobe', [...options, join(MEDIA, path)], { encoding: 'utf8' }).split('\n');
  const places = lines.filter((line) => /^\d+/.test(line)).map((line) => Number.parseInt(line, 10));
  const decoded = [...places].sort((left, right) => left - right);
  return places.map((place) => decoded.indexOf(place));
}

describe('properties of each real stream', () => {
  withMedia('is found in its parameter sets', () => {
    const [set] = splitAnnexB(read('annexb/membrane_input-10-720p.h264')).filter((nalUnit) => (nalUnit[0]! & 31) === 7);
    const result = parseSequenceParameterSet(set!);
    expect(result).toMatchObject({
      ok: true,
      value: { width: 1280, height: 720, framesPerSecond: 30, reorderFrames: 2 },
    });
    expect(result.ok && codecString(result.value)).toMatch(/^avc1\.6400[0-9a-f]{2}$/);
  });

  withMedia('is found in its fields', () => {
    const { pictures } = stream('annexb/FRExt2_Panasonic.avc');
    expect(pictures.filter((picture) => picture.field !== 'frame')).toHaveLength(14);
    expect(pictures.filter((picture) => picture.keyFrame === 'idr')).toHaveLength(2);
  });

  withMedia('has random access points where a broadcast with one IDR picture has none', () => {
    const { pictures } = stream('annexb/Freh7_B.264');
    expect(pictures.filter((picture) => picture.importance === 'key').map((picture) => picture.keyFrame)).toEqual([
      'idr',
      ...new Array(6).fill('intra'),
    ]);
  });
});

describe('broken input', () => {
  const folder = (name: string): Uint8Array[] =>
    readdirSync(join(MEDIA, 'broken', name)).map((file) => read(join('broken', name, file)));

  withMedia('never makes a parser throw', () => {
    for (const bytes of ['fuzz_annexb', 'fuzz_avcc', 'fuzz_sps', 'fuzz_rtph264'].flatMap(folder)) {
      expect(() => {
        splitAnnexB(bytes);
        const tracker = new H264ParameterSetTracker();
        tracker.add(bytes);
        for (const size of [1, 2, 4]) splitLengthPrefixed(bytes, size);
        for (const header of [0x67, 0x68]) parseSequenceParameterSet(Uint8Array.of(header, ...bytes));
        parseSequenceParameterSet(bytes);
        parsePictureParameterSet(bytes);
        parseDecoderConfiguration(bytes);
        unpackPayloads([bytes]);
        for (const size of [5, 50]) salvagePayloads(inPieces(bytes, size));
        picturesOf([bytes, ...splitAnnexB(bytes)].filter((nalUnit) => nalUnit.length > 0));
      }).not.toThrow();
    }
  });

  withMedia('in byte streams keeps every NAL unit, and the times hold', () => {
    const files = readdirSync(join(MEDIA, 'broken')).filter((name) => /\.(264|h264)$/.test(name));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const { nalUnits, pictures, leftover } = stream(join('broken', file));
      expect(same([...pictures.flatMap((picture) => picture.parts), ...leftover], nalUnits), file).toBe(true);
      expect(splitAnnexB(joinAnnexB(nalUnits)).length, file).toBe(nalUnits.length);
      const timeline = new Timeline();
      const units = [...pictures.flatMap((picture) => timeline.push(picture)), ...timeline.flush()];
      expect(units.length, file).toBe(pictures.length);
      for (const unit of units) expect(unit.timestamp, file).toBeGreaterThanOrEqual(unit.decodeTimestamp);
    }
  });

  withMedia('without parameter sets still has its pictures', () => {
    expect(stream('broken/h264_no-sps-pps_30pics.h264').pictures).toHaveLength(30);
  });

  withMedia('with NAL units of types 24 to 31 goes through payloads unchanged', () => {
    const { nalUnits } = stream('broken/h264_edge264_unsupp-nals.264');
    expect(nalUnits.some((nalUnit) => (nalUnit[0]! & 31) >= 24)).toBe(true);
    const result = unpackPayloads(packPayloads(nalUnits, { payloadBytesMax: 16, headroomBytes: 0 }));
    expect(result.ok && same(result.value, nalUnits)).toBe(true);
  });
});

function inPieces(bytes: Uint8Array, size: number): Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}
