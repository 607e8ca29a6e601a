import { join } from 'node:path';
import { expect } from 'vitest';
import { openMediaSource } from '../../io/sources/open-source.ts';
import { openPage } from '../../io/web-server/page-server.ts';
import { pageSound, writePageSound } from '../../session/run/page-sound.ts';
import { Broadcast } from '../../session/stream/broadcast.ts';
import { inChromium, useBrowser } from './browser.ts';

const FLASHES = join(import.meta.dirname, '../../samples/flash.mp4');
const browser = useBrowser();

/** State of the page's sound, for tests. */
interface PageSoundState {
  readonly framesDrawn: number;
  readonly state: string;
  readonly heardUs?: number;
}
const READ_SCRIPT = '({ framesDrawn: dropframe.framesDrawn, ...dropframe.sound, report: 0, output: 0 })';

inChromium(
  'plays the sound of a stream once it is asked to, and draws pictures at the time of their sound',
  async () => {
    const media = await openMediaSource(FLASHES, {
      encode: 'copy',
      bitrate: 2_000_000,
      gop: 30,
      sound: {},
      warn: () => {},
    });
    const { sound, description } = media;
    if (!sound) throw new Error('the clip has sound');
    const announced = sound.description;
    const { width, height, codec } = description;
    const page = await openPage({
      port: 0,
      description: { title: 'flash.mp4', width, height, codec, sound: pageSound(announced) },
      log: () => {},
      folders: browser.folders,
    });
    const broadcast = new Broadcast({
      units: () => media.units(),
      sound: () => sound.units(),
      loop: true,
      onUnit: (unit) => page.write(unit),
      onSound: (unit) => writePageSound(page, unit, announced),
      onEnd: () => {},
      onStall: () => {},
    });
    try {
      broadcast.start();
      const tab = await browser.context.newPage();
      await tab.goto(page.url);
      const read = () => tab.evaluate<PageSoundState>(READ_SCRIPT);
      const until = async (condition: (state: PageSoundState) => boolean) => {
        for (;;) {
          const state = await read();
          if (condition(state)) return state;
          await new Promise((resolve) => setTimeout(resolve, 40));
        }
      };
      expect((await until(({ framesDrawn }) => framesDrawn > 5)).state).toBe('off');
      expect((await read()).heardUs).toBeUndefined();
      await tab.getByText('Turn sound on').click();
      const { heardUs, framesDrawn } = await until((state) => state.heardUs !== undefined);
      await until((state) => (state.heardUs ?? 0) > heardUs! + 1e6 && state.framesDrawn > framesDrawn + 5);
      await tab.locator('#sound-level:visible').waitFor();
      await tab.keyboard.press('m');
      await tab.getByText('Turn sound on').waitFor();
      expect((await read()).heardUs).toBeUndefined();
    } finally {
      broadcast.stop();
      await page.close();
      await media.close();
    }
  },
);
