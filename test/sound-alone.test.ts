import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ALL_FORMATS, EncodedPacketSink, FilePathSource, Input } from 'mediabunny';
import { expect, test } from 'vitest';
import { openRecording } from '../io/mp4/recording.ts';
import { ffplayCommand } from '../io/players/ffplay.ts';
import { mpvCommand } from '../io/players/mpv.ts';
import { vlcCommand } from '../io/players/vlc.ts';
import type { MediaSource } from '../io/sources/media-source.ts';
import type { AccessUnit } from '../protocol/access-unit.ts';
import { codecByName } from '../protocol/codec/codecs.ts';
import { codecRefusal } from '../session/stream/welcome-message.ts';
import { temporaryFolder, withFfmpeg } from './io/sources/media.ts';
import { receive, serve } from './loopback-session.ts';
import { soundSource, soundUnits } from './sound-units.ts';

const SOUNDS = 70;

function sourceOf(codecName: 'opus' | 'aac', units: readonly AccessUnit[]): MediaSource {
  const sound = soundSource(codecName, units);
  const { clockRate, parameterSets, decoder } = sound.description;
  return {
    description: {
      ...{ name: 'a song', codecName, codec: decoder, clockRate, width: 0, height: 0, mode: 'copy' },
      ...{ framesPerSecond: undefined, durationSeconds: undefined, parameterSets },
    },
    units: () => sound.units(),
    close: async () => {},
  };
}

test.each([
  ['opus', 'udp'],
  ['aac', 'udp'],
  ['aac', 'tcp'],
] as const)('%s without pictures arrives as it was sent, over %s', async (codec, transport) => {
  const units = soundUnits(codec, SOUNDS);
  const { server, sent } = await serve([], { source: sourceOf(codec, units) });
  const { received, client, run } = receive(server.port, { transport });
  await expect(run).resolves.toBe('end-of-stream');
  expect(received.map(({ parts }) => parts)).toEqual(units.map(({ parts }) => parts));
  for (const [index, { timestamp }] of received.entries()) {
    // A time between two ticks of the stream's clock moves to the nearer one.
    expect(Math.abs(timestamp - sent[index]!.timestamp)).toBeLessThanOrEqual(1);
  }
  expect(client.sound).toBeUndefined();
  expect(client.sessions[0]!.frames).toMatchObject({ decided: SOUNDS, onTime: SOUNDS });
});

test('receivers that know only streams with pictures are told', () => {
  const { description } = sourceOf('opus', []);
  const hello = (userAgent: string) => ({ userAgent }) as never;
  expect(codecRefusal(hello('dropframe control/1.1'), description)).toMatch(
    /^the stream is sound alone, .* update it$/,
  );
  expect(codecRefusal(hello('dropframe control/1.2'), description)).toBeUndefined();
});

test.each([
  ['opus', 'mp4'],
  ['aac', 'mp4'],
  ['aac', 'ts'],
] as const)('a recording of %s alone has every unit at its time: .%s', async (codecName, ending) => {
  const path = join(temporaryFolder(), `a.${ending}`);
  const units = soundUnits(codecName, 130, 9_000);
  const { description } = sourceOf(codecName, units);
  const sink = await openRecording(path, description, codecByName(codecName));
  for (const unit of units) await sink.write(unit);
  await sink.close();
  const input = new Input({ source: new FilePathSource(path), formats: ALL_FORMATS });
  const track = (await input.getPrimaryAudioTrack())!;
  expect([await track.getCodec(), (await input.getVideoTracks()).length]).toEqual([codecName, 0]);
  const packets: { readonly data: Uint8Array; readonly timestamp: number }[] = [];
  for await (const packet of new EncodedPacketSink(track).packets()) packets.push(packet);
  input.dispose();
  expect(packets).toHaveLength(units.length);
  const start = packets[0]!.timestamp * 90_000 - units[0]!.timestamp;
  for (const [index, { data, timestamp }] of packets.entries()) {
    const { parts, timestamp: at } = units[index]!;
    // A frame of a transport stream has a header, or is taken out of its own.
    expect(Buffer.from(data).includes(Buffer.from(parts[0]!)), `unit ${index}`).toBe(true);
    expect(Math.abs(timestamp * 90_000 - start - at), `unit ${index}`).toBeLessThan(3);
  }
});

withFfmpeg('ffmpeg reads Opus alone in MPEG-TS', async () => {
  const path = join(temporaryFolder(), 'a.ts');
  const units = soundUnits('opus', 60);
  const sink = await openRecording(path, sourceOf('opus', units).description, codecByName('opus'));
  for (const unit of units) await sink.write(unit);
  await sink.close();
  const entries = ['-v', 'error', '-count_packets', '-show_entries', 'stream=codec_name,channels,nb_read_packets'];
  expect(
    execFileSync('ffprobe', [...entries, '-of', 'csv=p=0', path])
      .toString()
      .split('\n')[0],
  ).toBe('opus,2,60');
});

test('players get sound alone in MPEG-TS, and open a window or none', () => {
  const picture = { ...sourceOf('opus', []).description, codecName: 'opus', title: 'a song' } as const;
  const [unit] = soundUnits('opus', 1);
  const mpv = mpvCommand('mpv', picture, { overlay: '/tmp/socket', x11: false, inherits: true });
  for (const command of [mpv, ffplayCommand('ffplay', picture), vlcCommand('vlc', picture)]) {
    const bytes = command.serialize(unit!);
    expect([bytes.length % 188, bytes[0]]).toEqual([0, 0x47]);
    expect(command.serializeSound).toBeUndefined();
    expect(command.arguments.join(' ')).not.toMatch(/no-audio/);
  }
  expect(mpv.arguments).toContain('--force-window=yes');
});
