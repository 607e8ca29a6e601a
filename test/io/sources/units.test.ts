import { expect, test } from 'vitest';
import { EntryGate } from '../../../io/sources/entry-gate.ts';
import { type Sample, sampleUnits } from '../../../io/sources/sample-units.ts';
import { untimedUnits } from '../../../io/sources/untimed-units.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { ticks } from '../../../protocol/base/units.ts';
import { H264 } from '../../../protocol/codec/h264/h264.ts';
import { NAL_UNIT_TYPE, nalUnitType } from '../../../protocol/codec/h264/nal-unit.ts';
import { sampleUnits as clip } from '../../sample-units.ts';
import { all, nalText } from './media.ts';

/** Two groups of pictures of the sample: delimiter, parameter sets and SEI at each key frame, one slice per picture. */
const CLIP = clip().slice(0, 60);
const ofType = (unit: AccessUnit, ...types: number[]) => unit.parts.filter((nal) => types.includes(nalUnitType(nal)));
const SETS = ofType(CLIP[0] as AccessUnit, NAL_UNIT_TYPE.sequenceParameterSet, NAL_UNIT_TYPE.pictureParameterSet);
const without = (unit: AccessUnit, ...types: number[]) => unit.parts.filter((nal) => !types.includes(nalUnitType(nal)));

/** Returns bytes as text: a byte-wise diff takes very long to print. */
function expectClip(units: readonly AccessUnit[]): void {
  const readable = (all: readonly AccessUnit[]) => all.map((unit) => ({ ...unit, parts: nalText([unit])[0] }));
  expect(readable(units)).toEqual(readable(CLIP));
}

const samplesOf = (units: readonly AccessUnit[]): Sample[] =>
  units.map(({ parts, timestamp }) => ({ parts, timestamp, duration: ticks(3_000) }));

async function* stream(samples: readonly Sample[]): AsyncGenerator<Sample> {
  yield* samples;
}

async function units(samples: readonly Sample[], parameterSets: readonly Uint8Array[] = []) {
  const gate = new EntryGate();
  const track = {
    codec: H264,
    parameterSets,
    samples: stream(samples),
    reorderFrames: undefined,
    samplesAreUnits: false,
  };
  return { gate, units: await all(sampleUnits(track, gate)) };
}

test('passes samples that are access units unchanged', async () => {
  expectClip((await units(samplesOf(CLIP))).units);
});

test('shifts times so that the earliest picture is shown at 0', async () => {
  const late = samplesOf(CLIP).map((sample) => ({ ...sample, timestamp: ticks(sample.timestamp + 902_999) }));
  expectClip((await units(late)).units);
});

test('adds parameter sets of the container to each key frame', async () => {
  const bare = CLIP.map((unit) => ({
    ...unit,
    parts: without(unit, NAL_UNIT_TYPE.sequenceParameterSet, NAL_UNIT_TYPE.pictureParameterSet),
  }));
  const result = (await units(samplesOf(bare), SETS)).units;
  expect(nalText(result)).toEqual(nalText(CLIP));
});

test('joins two samples that form one access unit', async () => {
  const first = CLIP[0] as AccessUnit;
  const samples = samplesOf(CLIP.slice(1));
  const head = { parts: first.parts.slice(0, -1), timestamp: ticks(0), duration: ticks(0) };
  const tail = { parts: first.parts.slice(-1), timestamp: ticks(0), duration: ticks(3_000) };
  expectClip((await units([head, tail, ...samples])).units);
});

test('splits a sample with two access units, which share its duration', async () => {
  const pairs: Sample[] = [];
  for (let index = 0; index < CLIP.length; index += 2) {
    const [one, other] = CLIP.slice(index, index + 2) as [AccessUnit, AccessUnit];
    pairs.push({ parts: [...one.parts, ...other.parts], timestamp: one.timestamp, duration: ticks(6_000) });
  }
  expectClip((await units(pairs)).units);
});

test('skips and counts pictures before the first key frame', async () => {
  const { gate, units: result } = await units(samplesOf(CLIP.slice(20)), SETS);
  expect(gate.skipped).toBe(10);
  expect(nalText(result)).toEqual(nalText(CLIP.slice(30)));
  expect(result[0]).toMatchObject({ timestamp: 0, importance: 'key' });
});

test('yields nothing without a key frame, with the cause', async () => {
  const { gate, units: result } = await units(samplesOf(CLIP.slice(1, 30)), SETS);
  expect(result).toEqual([]);
  expect(gate.cause).toBe('no key frame');
});

test('yields nothing for a key frame without parameter sets', async () => {
  const bare = CLIP.map((unit) => ({ ...unit, parts: without(unit, 7, 8) }));
  const { gate, units: result } = await units(samplesOf(bare));
  expect(result).toEqual([]);
  expect(gate.cause).toBe('no parameter sets');
});

test('ignores samples without a picture', async () => {
  const empty: Sample = { parts: [], timestamp: ticks(500), duration: ticks(0) };
  expectClip((await units([empty, ...samplesOf(CLIP), empty])).units);
  expect((await units([empty])).gate.cause).toBe('no picture');
});

test('takes the times of a raw stream from the rate in its parameter sets', async () => {
  async function* parts() {
    for (const unit of CLIP) yield unit.parts;
  }
  const gate = new EntryGate();
  expectClip(await all(untimedUnits(parts(), gate, { codec: H264, framesPerSecond: 7 })));
  expect(gate.skipped).toBe(0);
});
