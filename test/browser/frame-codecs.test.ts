import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { openMediaSource } from '../../io/sources/open-source.ts';
import { openPage } from '../../io/web-server/page-server.ts';
import { all, hasEncoder, temporaryFolder } from '../io/sources/media.ts';
import { optional } from '../optional.ts';
import { PATIENCE } from '../patience.ts';
import { useBrowser } from './browser.ts';
import { CHROMIUM, HAS_CHROMIUM } from './chromium.ts';

const browser = useBrowser();
const FRAMES = 24;
const ENCODERS = [
  ['AV1', 'libsvtav1', ['-preset', '8', '-g', '12', '-crf', '50'], /^av01\.0\./],
  ['VP9', 'libvpx-vp9', ['-g', '12', '-b:v', '100k', '-deadline', 'realtime', '-cpu-used', '8'], /^vp09\.00\./],
] as const;

for (const [title, encoder, coding, decoder] of ENCODERS) {
  optional(`${CHROMIUM} and ffmpeg with ${encoder}`, HAS_CHROMIUM && hasEncoder(encoder))(
    `decodes ${title} that is copied, hidden frames included`,
    async () => {
      const clip = join(temporaryFolder(), 'clip.mkv');
      const input = ['-v', 'error', '-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=25`, '-frames:v', `${FRAMES}`];
      execFileSync('ffmpeg', [...input, '-c:v', encoder, ...coding, clip], { stdio: 'ignore' });
      const source = await openMediaSource(clip, { encode: 'copy', bitrate: 1, gop: 1, warn: () => {} });
      const { width, height, codec } = source.description;
      expect(codec).toMatch(decoder);
      const description = { title: 'clip', width, height, codec };
      const page = await openPage({ port: 0, description, log: () => {}, folders: browser.folders });
      try {
        const tab = await browser.context.newPage();
        await tab.goto(page.url);
        await vi.waitFor(async () => expect(await tab.evaluate('dropframe.state')).toBe('waiting'), PATIENCE);
        for (const unit of await all(source.units())) {
          page.write(unit);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
        await vi.waitFor(async () => expect(await tab.evaluate('dropframe.framesDrawn')).toBe(FRAMES), PATIENCE);
        expect(await tab.evaluate('({ codec: dropframe.codec, decodeErrors: dropframe.decodeErrors })')).toEqual({
          codec,
          decodeErrors: 0,
        });
      } finally {
        await source.close();
        await page.close();
      }
    },
  );
}
