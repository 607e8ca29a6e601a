import { expect } from 'vitest';
import { isInstalled } from '../interop/programs.ts';
import { oneKeyFilm } from '../one-key-film.ts';
import { optional } from '../optional.ts';
import { CHROMIUM, HAS_CHROMIUM } from './chromium.ts';
import { decided, grayOnCanvas, LANE, nextFrame, opened, pageState, tabAt, untilPage } from './lane-tab.ts';

/** Number of frames in the film with one key frame, which begins once the page is open. */
const FRAMES_OF_FILM = 240;
/** Gray level of its last frame, which no other has, and how far coding may change one. */
const [LAST_GRAY, GRAY_ERROR] = [240, 3];
const GRAY = `if(lt(N,${FRAMES_OF_FILM - 1}),20+N/1.2,${LAST_GRAY})`;

const withFfmpegInChromium = optional(`${CHROMIUM} and ffmpeg`, HAS_CHROMIUM && isInstalled('ffmpeg', '-version'));

withFfmpegInChromium(
  'continues at the live edge after five losses in a film with one key frame, and draws no mended frame',
  async () => {
    const input = oneKeyFilm({ frames: FRAMES_OF_FILM, gray: GRAY });
    // No answer can be in time: the round trip is longer than the latency.
    const settings = (['nack', 'hybrid'] as const).map((recovery) => ({ ...LANE, recovery, latencyMs: 20 }));
    const on = { inputs: new Map([['film', input]]), lanes: settings, loop: false };
    const tab = await tabAt(await opened('delay=60ms', on));
    await tab.locator('#source').selectOption('film');
    await untilPage(tab, ({ settings, lanes }) => {
      return settings?.source === 'film' && lanes.every(({ figures }) => decided(figures) >= 15);
    });
    // A window that joins decodes what it has missed.
    const before = (await pageState(tab)).lanes.map(({ framesHidden }) => framesHidden);
    await tab.locator('#drop').click();
    await untilPage(tab, ({ lanes }) => lanes.every(({ figures }) => decided(figures) === FRAMES_OF_FILM));
    for (const index of settings.keys()) {
      // The gray level shows that the last frame is drawn.
      while (Math.abs((await grayOnCanvas(tab, index)) - LAST_GRAY) > GRAY_ERROR) await nextFrame(tab);
      const { lanes, skips } = await pageState(tab);
      const { figures, framesHidden, decodeErrors } = lanes[index]!;
      const { framesLost, framesMended, packetsLost } = figures!;
      expect({ framesLost, packetsLost, decodeErrors }).toEqual({ framesLost: 0, packetsLost: 5, decodeErrors: 0 });
      expect(framesMended).toBeGreaterThan(0);
      // A window that skips to live on a busy machine decodes the film again, without drawing it.
      if (skips === 0) expect(framesHidden - before[index]!).toBe(framesMended);
      else expect(framesHidden - before[index]!).toBeGreaterThanOrEqual(framesMended);
      const late = await tab.locator('.lane').nth(index).locator('[data-figure="late"]').textContent();
      expect(late).toContain(`+${framesMended}\u00a0mended`);
    }
  },
);

withFfmpegInChromium(
  'shows a changed lane in a film with one key frame long before the film begins again',
  async () => {
    // Half a minute, of which a busy machine needs a part.
    const input = oneKeyFilm({ frames: 900, gray: '20+N/5' });
    // It never begins again by itself.
    const on = { inputs: new Map([['film', input]]), lanes: [LANE, LANE], loop: false };
    const tab = await tabAt(await opened('delay=10ms', on));
    await tab.locator('#source').selectOption('film');
    await untilPage(tab, ({ settings, lanes }) => {
      return settings?.source === 'film' && lanes.every(({ figures }) => decided(figures) >= 30);
    });
    await tab.locator('.strategy').nth(1).selectOption('nack');
    // Counted by the server: a busy window may skip most of the pictures.
    await untilPage(tab, ({ lanes: [, changed], settings }) => {
      return settings?.lanes[1]?.recovery === 'nack' && decided(changed?.figures) > 30;
    });
  },
);
