import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';
import { openRecording } from '../../../io/mp4/recording.ts';
import { openMediaSource } from '../../../io/sources/open-source.ts';
import { codecByName } from '../../../protocol/codec/codecs.ts';
import { all, frameSums, temporaryFolder, withFfmpeg } from './media.ts';

for (const container of ['webm', 'mkv', 'mp4']) {
  withFfmpeg(`VP9 of .${container} is copied packet by packet, hidden frames included`, async () => {
    const folder = temporaryFolder();
    const clip = join(folder, `clip.${container}`);
    // Alternate references in superframes need a look ahead.
    const input = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=96x64:rate=25:duration=2'];
    const coding = ['-c:v', 'libvpx-vp9', '-b:v', '60k', '-g', '20', '-lag-in-frames', '10', '-auto-alt-ref', '1'];
    execFileSync('ffmpeg', [...input, ...coding, '-deadline', 'realtime', '-cpu-used', '5', clip]);
    const lines: string[] = [];
    const source = await openMediaSource(clip, {
      ...{ encode: 'auto', bitrate: 1, gop: 1, warn: (line: string) => lines.push(line) },
    });
    expect(source.description).toMatchObject({ codecName: 'vp9', width: 96, height: 64, mode: 'copy' });
    expect(source.description.codec).toMatch(/^vp09\.00\.\d\d\.08$/);
    expect(lines).toEqual([expect.stringContaining('its VP9 is copied as it is; for players and browsers without it')]);
    const units = await all(source.units());
    expect(units.map(({ parts }) => parts.length)).toEqual(units.map(() => 1));
    expect(units.filter(({ importance }) => importance === 'key').length).toBeGreaterThan(2);
    for (const ending of ['mkv', 'mp4']) {
      const path = join(folder, `recording.${ending}`);
      const sink = await openRecording(path, source.description, codecByName('vp9'));
      for (const unit of units) await sink.write(unit);
      await sink.close();
      expect(frameSums(path, '-c', 'copy')).toEqual(frameSums(clip, '-c', 'copy'));
      expect(frameSums(path)).toEqual(frameSums(clip));
    }
    await source.close();
    await expect(openRecording(join(folder, 'a.ts'), source.description, codecByName('vp9'))).rejects.toThrow(
      'writing vp9 to a transport stream is not supported',
    );
  });
}
