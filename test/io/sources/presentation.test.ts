import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';
import { openRecording } from '../../../io/mp4/recording.ts';
import { openMediaSource } from '../../../io/sources/open-source.ts';
import { codecByName } from '../../../protocol/codec/codecs.ts';
import { temporaryFolder, withFfmpeg } from './media.ts';

/** How pictures are shown according to ffprobe: by the stream, and by its first frame. */
function shownAs(path: string) {
  const parameters = ['-v', 'error', '-select_streams', 'v:0', '-show_streams', '-show_frames', '-of', 'json'];
  const probed = JSON.parse(execFileSync('ffprobe', [...parameters, path]).toString());
  const [{ sample_aspect_ratio, color_space, color_transfer, color_primaries, color_range, side_data_list }] =
    probed.streams;
  const turned = (list: readonly { rotation?: number }[] = []) => list.find(({ rotation }) => rotation)?.rotation;
  return {
    signal: { sample_aspect_ratio, color_space, color_transfer, color_primaries, color_range },
    rotation: turned(side_data_list),
    frameRotation: turned(probed.frames[0].side_data_list),
  };
}

const SIGNAL = {
  sample_aspect_ratio: '12:11',
  color_space: 'bt2020nc',
  color_transfer: 'smpte2084',
  color_primaries: 'bt2020',
  color_range: 'tv',
};

for (const [encoder, raw] of [
  ['libx264', 'h264'],
  ['libx265', 'h265'],
] as const) {
  withFfmpeg(`a container's rotation, shape of samples and colors arrive: ${raw}`, async () => {
    const folder = temporaryFolder();
    const [plain, clip] = [join(folder, 'plain.mp4'), join(folder, 'clip.mp4')];
    const pattern = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=176x144:rate=25:duration=0.4'];
    execFileSync('ffmpeg', [...pattern, '-c:v', encoder, '-x265-params', 'log-level=none', plain]);
    // In the container alone: 176 × 144 at 4:3 has samples of 12:11.
    const colors = ['-color_primaries', 'bt2020', '-color_trc', 'smpte2084', '-colorspace', 'bt2020nc'];
    const marks = ['-aspect', '4:3', ...colors, '-movflags', '+write_colr', '-metadata:s:v', 'rotate=270'];
    execFileSync('ffmpeg', ['-v', 'error', '-i', plain, '-c', 'copy', ...marks, clip]);
    const source = await openMediaSource(clip, { encode: 'copy', bitrate: 1, gop: 1, warn: () => {} });
    const { codecName, parameterSets, rotation } = source.description;
    const codec = codecByName(codecName);
    // ffmpeg counts anticlockwise.
    expect(rotation).toBe(90);
    expect(codec.describe(parameterSets)?.signal).toMatchObject({
      sampleAspect: { width: 12, height: 11 },
      color: { primaries: 9, transfer: 16, matrix: 9 },
    });
    const paths = ['mp4', 'ts', raw].map((ending) => join(folder, `recording.${ending}`));
    const sinks = await Promise.all(paths.map((path) => openRecording(path, source.description, codec)));
    for await (const unit of source.units()) for (const sink of sinks) await sink.write(unit);
    for (const sink of sinks) await sink.close();
    await source.close();
    const original = shownAs(clip);
    const [mp4, transport, bytes] = paths.map(shownAs);
    // Of HEVC, ffprobe believes the stream, which says nothing of colors.
    expect(original.signal).toMatchObject(raw === 'h264' ? SIGNAL : { sample_aspect_ratio: '12:11' });
    expect(mp4!.signal).toMatchObject(SIGNAL);
    expect([mp4!.rotation, original.rotation]).toEqual([-90, -90]);
    for (const recording of [transport!, bytes!]) {
      expect(recording.signal).toMatchObject(SIGNAL);
      // In the pictures themselves, and read as anticlockwise.
      expect(recording.frameRotation).toBe(-90);
    }
  });
}
