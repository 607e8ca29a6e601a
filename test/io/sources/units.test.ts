import { expect, test } from 'vitest';
import { EntryGate } from '../../../io/sources/entry-gate.ts';
import { type Sample, sampleUnits } from '../../../io/sources/sample-units.ts';
import { untimedUnits } from '../../../io/sources/untimed-units.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { NAL_UNIT_TYPE, nalUnitType } from '../../../protocol/codec/h264/nal-unit.ts';
import { sampleUnits as clip } from '../../sample-units.ts';
import { all, nalText } from './media.ts';

/** Two groups of pictures of our own clip: delimiter, parameter sets and SEI at each keyframe, one slice a picture. */
const CLIP = clip().slice(0, 60);
const ofType = (unit: AccessUnit, ...types: number[]) => unit.parts.filter((nal) => types.includes(nalUnitType(nal)));
const SETS = ofType(CLIP[0] as AccessUnit, NAL_UNIT_TYPE.sequenceParameterSet, NAL_UNIT_TYPE.pictureParameterSet);
const without = (unit: AccessUnit, ...types: number[]) => unit.parts.filter((nal) => !types.includes(nalUnitType(nal)));

/** As text, since a difference of bytes takes for ever to print. */
function expectClip(units: readonly AccessUnit[]): void {
  const readable = (all: readonly AccessUnit[]) => all.map((unit) => ({ ...unit, parts: nalText([unit])[0] }));
  expect(readable(units)).toEqual(readable(CLIP));
}

const samplesOf = (units: readonly AccessUnit[]): Sample[] =>
  units.map(({ parts, timestamp }) => ({ parts, timestamp, duration: 3_000 }));

async function* stream(samples: readonly Sample[]): AsyncGenerator<Sample> {
  yield* samples;
}

async function units(samples: readonly Sample[], parameterSets: readonly Uint8Array[] = []) {
  const gate = new EntryGate();
  const track = { parameterSets, samples: stream(samples), reorderFrames: undefined, samplesAreUnits: false };
  return { gate, units: await all(sampleUnits(track, gate)) };
}

test('samples that are access units come out as they are', async () => {
  expectClip((await units(samplesOf(CLIP))).units);
});

test('times are moved so that the earliest picture is shown at 0', async () => {
  const late = samplesOf(CLIP).map((sample) => ({ ...sample, timestamp: sample.timestamp + 902_999 }));
  expectClip((await units(late)).units);
});

test('parameter sets that the container keeps apart go into each keyframe', async () => {
  const bare = CLIP.map((unit) => ({
    ...unit,
    parts: without(unit, NAL_UNIT_TYPE.sequenceParameterSet, NAL_UNIT_TYPE.pictureParameterSet),
  }));
  const result = (await units(samplesOf(bare), SETS)).units;
  expect(nalText(result)).toEqual(nalText(CLIP));
});

test('two samples that hold one access unit between them become one', async () => {
  const first = CLIP[0] as AccessUnit;
  const samples = samplesOf(CLIP.slice(1));
  const head = { parts: first.parts.slice(0, -1), timestamp: 0, duration: 0 };
  const tail = { parts: first.parts.slice(-1), timestamp: 0, duration: 3_000 };
  expectClip((await units([head, tail, ...samples])).units);
});

test('a sample that holds two access units becomes two, and they share its time', async () => {
  const pairs: Sample[] = [];
  for (let index = 0; index < CLIP.length; index += 2) {
    const [one, other] = CLIP.slice(index, index + 2) as [AccessUnit, AccessUnit];
    pairs.push({ parts: [...one.parts, ...other.parts], timestamp: one.timestamp, duration: 6_000 });
  }
  expectClip((await units(pairs)).units);
});

test('pictures before the first keyframe are skipped and counted', async () => {
  const { gate, units: result } = await units(samplesOf(CLIP.slice(20)), SETS);
  expect(gate.skipped).toBe(10);
  expect(nalText(result)).toEqual(nalText(CLIP.slice(30)));
  expect(result[0]).toMatchObject({ timestamp: 0, importance: 'key' });
});

test('a stream without a keyframe gives nothing, and the cause is known', async () => {
  const { gate, units: result } = await units(samplesOf(CLIP.slice(1, 30)), SETS);
  expect(result).toEqual([]);
  expect(gate.cause).toBe('no keyframe');
});

test('without parameter sets a keyframe is of no use', async () => {
  const bare = CLIP.map((unit) => ({ ...unit, parts: without(unit, 7, 8) }));
  const { gate, units: result } = await units(samplesOf(bare));
  expect(result).toEqual([]);
  expect(gate.cause).toBe('no parameter sets');
});

test('samples without a picture in them do no harm', async () => {
  const empty: Sample = { parts: [], timestamp: 500, duration: 0 };
  expectClip((await units([empty, ...samplesOf(CLIP), empty])).units);
  expect((await units([empty])).gate.cause).toBe('no picture');
});

test('a raw stream gets its times from the rate that its parameter sets name', async () => {
  async function* parts() {
    for (const unit of CLIP) yield unit.parts;
  }
  const gate = new EntryGate();
  expectClip(await all(untimedUnits(parts(), gate, 7)));
  expect(gate.skipped).toBe(0);
});
