import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openRecording } from '../io/mp4/recording.ts';
import { parseSessionDescription, writeSessionDescription } from '../protocol/sdp.ts';
import { temporaryFolder } from './io/sources/media.ts';
import { runSession } from './simulated-session.ts';
import { TONE } from './tone-codec.ts';

const SET = Uint8Array.of(0x20, 1, 2);

/** Units of a codec that the program does not know, as they leave the receiver of a lossy path. */
function received() {
  const { received: units } = runSession({
    forward: 'loss=3% delay=20ms seed=4',
    stream: { codec: TONE, framesPerSecond: 50, frameBytes: 2_500, keyFrameBytes: 5_000, frames: 200 },
    parameters: { codec: TONE },
  });
  expect(units.length).toBeGreaterThan(190);
  // The first one carries the parameter set, without which no MP4 file can begin.
  return units.map((unit, index) => (index === 0 ? { ...unit, parts: [SET, ...unit.parts] } : unit));
}

async function record(name: string): Promise<Buffer> {
  const path = join(temporaryFolder(), name);
  const recording = await openRecording(path, { width: 16, height: 16, parameterSets: [] }, TONE);
  for (const unit of received()) await recording.write(unit);
  await recording.close();
  return readFileSync(path);
}

test('records a custom codec as its byte stream', async () => {
  const units = received();
  const expected = Buffer.concat(units.map(({ parts }) => TONE.byteStream!.write(parts)));
  expect(Buffer.compare(await record('a.tone'), expected)).toBe(0);
});

test('records a custom codec as MP4, with its sample entry and configuration', async () => {
  const file = (await record('a.mp4')).toString('latin1');
  expect(file).toContain('iso6mp41tone');
  expect(file).toContain(`tonC${Buffer.from(SET).toString('latin1')}`);
  expect(file).not.toContain('avc');
  for (const { parts } of received()) expect(file).toContain(Buffer.from(parts.at(-1)!).toString('latin1'));
});

test('records a custom codec as MPEG-TS, with its stream type', async () => {
  const map = (await record('a.ts')).subarray(188, 376);
  // Section of the program map after header and pointer; its first stream begins at byte 12.
  expect(map[5 + 12]).toBe(TONE.transportStream!.streamType);
});

test('says which containers a codec lacks', async () => {
  const { byteStream: _, transportStream: __, mp4: ___, ...bare } = TONE;
  const open = (name: string) =>
    openRecording(join(temporaryFolder(), name), { width: 1, height: 1, parameterSets: [] }, bare);
  await expect(open('a.mp4')).rejects.toThrow('writing tone to MP4 is not supported');
  await expect(open('a.ts')).rejects.toThrow('writing tone to a transport stream is not supported');
  await expect(open('a.tone')).rejects.toThrow('tone needs a container');
});

test('announces a custom codec in a session description, and reads it back', () => {
  const stream = { host: '127.0.0.1', port: 5_004, payloadType: 96, clockRate: TONE.clockRate, parameterSets: [SET] };
  const text = writeSessionDescription({ ...stream, codec: TONE, name: 'tone' });
  expect(text).toContain('a=rtpmap:96 TONE/48000\r\na=fmtp:96 set=200102\r\n');
  expect(parseSessionDescription(text, TONE)).toMatchObject({ ok: true, value: stream });
  expect(parseSessionDescription(text)).toEqual({ ok: false, malformed: 'sdp-no-h264-stream' });
});
