import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { playerFeed } from '../../../io/players/player-feed.ts';
import { fillingSilence } from '../../../io/players/silence-fill.ts';
import type { AccessUnit } from '../../../protocol/access-unit.ts';
import { ticks } from '../../../protocol/base/units.ts';
import { configOfAdts } from '../../../protocol/codec/aac/audio-specific-config.ts';
import { codecByName } from '../../../protocol/codec/codecs.ts';
import { serializeOpusHead } from '../../../protocol/codec/opus/opus-head.ts';
import { AAC_CONFIG, OPUS_HEAD, soundUnits } from '../../sound-units.ts';
import { withFfmpeg } from '../sources/media.ts';

/** Serializes these units and returns all that come out. */
function filled(codecName: 'aac' | 'opus', units: readonly AccessUnit[]): AccessUnit[] {
  const out: AccessUnit[] = [];
  const parameterSets = [codecName === 'aac' ? AAC_CONFIG : OPUS_HEAD];
  const serialize = fillingSilence({ codec: codecByName(codecName), parameterSets }, (unit) => {
    out.push(unit);
    return new Uint8Array(0);
  });
  for (const unit of units) serialize(unit);
  return out;
}

const timesOf = (units: readonly AccessUnit[]) => units.map(({ timestamp }) => timestamp);

describe.each(['aac', 'opus'] as const)('%s', (codecName) => {
  const units = soundUnits(codecName, 20);

  test('units without a gap are left as they are', () => {
    expect(filled(codecName, units)).toEqual(units);
  });

  test('lost units become silence at their times', () => {
    const lost = new Set([3, 7, 8, 9, 10]);
    const out = filled(
      codecName,
      units.filter((_, index) => !lost.has(index)),
    );
    expect(out).toHaveLength(units.length);
    for (const [index, time] of timesOf(out).entries())
      expect(Math.abs(time - units[index]!.timestamp)).toBeLessThan(3);
    for (const index of lost) expect(out[index]!.parts).not.toEqual(units[index]!.parts);
    expect(out.filter((_, index) => !lost.has(index))).toEqual(units.filter((_, index) => !lost.has(index)));
  });

  test('a gap longer than 100 ms, an overlap and a step back stay', () => {
    const chosen = [...units.slice(0, 2), ...units.slice(8, 10), ...units.slice(4, 6)];
    expect(filled(codecName, chosen)).toEqual(chosen);
  });
});

/** Samples that ffmpeg decodes of what a player gets of sound alone, beside what it complains about. */
function decoded(codecName: 'aac' | 'opus', sets: readonly Uint8Array[], parts: readonly (readonly Uint8Array[])[]) {
  const { sound } = codecByName(codecName);
  const feed = playerFeed({ codecName, parameterSets: sets, width: 0, height: 0, title: '' });
  let at = 0;
  const bytes = parts.map((each) => {
    const timestamp = ticks(Math.round(at));
    at += sound!.durationOf(each, sets);
    return feed.serialize({ parts: each, timestamp, decodeTimestamp: timestamp, importance: 'key' });
  });
  const { channels } = sound!.describe(sets)!;
  const command = `-v warning -xerror -f ${feed.demuxer} -i - -f s16le -ac ${channels} -`.split(' ');
  const output = execFileSync('ffmpeg', command, { input: Buffer.concat(bytes), maxBuffer: 1e9 });
  return { samples: new Int16Array(output.buffer, output.byteOffset, output.length / 2), channels };
}

const UNITS = 20;

withFfmpeg('silent AAC of each channel configuration decodes as silence', () => {
  for (let channelConfiguration = 1; channelConfiguration <= 7; channelConfiguration++) {
    const sets = [configOfAdts({ objectType: 2, rateIndex: 3, channelConfiguration })];
    const silent = codecByName('aac').sound!.silence([new Uint8Array(1)], sets)!;
    const { samples, channels } = decoded('aac', sets, Array(UNITS).fill(silent));
    expect(samples.length / channels / 1_024, `configuration ${channelConfiguration}`).toBeCloseTo(UNITS, 5);
    expect(samples.every((sample) => sample === 0)).toBe(true);
  }
});

/** Table-of-contents bytes and counts of frames: SILK of 10 and 60 ms, hybrid of 20 ms, CELT of 2.5, 20, and six times 20 ms. */
const OPUS_HEADS = ['00', '18', '7c', 'e0', 'fc', 'ff06'];

withFfmpeg('silent Opus of each length decodes as silence', () => {
  const { sound } = codecByName('opus');
  const sets = [OPUS_HEAD];
  for (const head of OPUS_HEADS) {
    const like = Uint8Array.from(Buffer.from(head, 'hex'));
    const silent = sound!.silence([like], sets)!;
    const duration = sound!.durationOf([like], sets);
    expect(sound!.durationOf(silent, sets), head).toBe(duration);
    const { samples, channels } = decoded('opus', sets, Array(UNITS).fill(silent));
    // The samples to skip at the beginning are not heard.
    expect(UNITS * duration - (samples.length / channels) * 1.875, head).toBeLessThanOrEqual(312 * 1.875);
    expect(samples.length).toBeGreaterThan(0);
    expect(samples.every((sample) => sample === 0)).toBe(true);
  }
});

test('nothing is made up for channels that only the stream tells', () => {
  const aac = configOfAdts({ objectType: 2, rateIndex: 3, channelConfiguration: 0 });
  expect(codecByName('aac').sound!.silence([new Uint8Array(1)], [aac])).toBeUndefined();
  const { sound } = codecByName('opus');
  const head = { channels: 6, preSkip: 312, inputRate: 48_000, gain: 0, mappingFamily: 1 };
  const surround = serializeOpusHead({ ...head, mappingTable: Uint8Array.of(4, 2, 0, 4, 1, 2, 3, 5) });
  expect(sound!.silence([Uint8Array.of(0xfc)], [surround])).toBeUndefined();
});
