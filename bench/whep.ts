import { type Browser, chromium, type Page } from 'playwright-core';
import { Failure } from '../io/os/failure.ts';
import { CHROMIUM, FLAGS, HAS_CHROMIUM } from '../test/browser/chromium.ts';
import { syncOf } from '../test/flash-and-beep.ts';
import { checkout, ROOT } from './checkout.ts';
import { NOTE_BEEPS } from './onset-detector.ts';
import type { BenchPart, PartContext } from './part.ts';
import { line, sleep } from './programs.ts';
import { ERROR_COLUMNS, errorCells, errorSummary } from './sync-errors.ts';
import { median, textTable } from './table.ts';

/** Copied, and with B-frames, which are encoded anew for browsers. */
const CLIPS = ['samples/counter.h264', 'samples/counter.mp4'];
/** A flash and a beep each second; pictures and sound are encoded anew. */
const SYNC_CLIP = 'samples/flash.mp4';
const SECONDS = 60;
const QUICK_SECONDS = 12;
/** Time in which the browser's buffers settle; no error is measured in it. */
const START_UP_MS = 5_000;
const WITH_SOUND = '--autoplay-policy=no-user-gesture-required';

/** Notes when the first picture is presented, milliseconds after the address was opened. */
const FIRST_PICTURE = `addEventListener('DOMContentLoaded', () => {
  document.querySelector('video').requestVideoFrameCallback((at) => { globalThis.firstPicture = at; });
});`;

/** Notes when a white picture is due on the screen, and when a beep leaves the loudspeaker, seconds. */
const OBSERVER = `async () => {
  const times = { flashes: [], beeps: [] };
  globalThis.observed = times;
  const video = document.querySelector('video');
  video.muted = false;
  const heard = (context) => context.createMediaStreamSource(video.srcObject);
  await (${NOTE_BEEPS})(new AudioContext(), heard, times.beeps);
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const drawing = canvas.getContext('2d', { willReadFrequently: true });
  let wasBright = true;
  const look = (_, { expectedDisplayTime }) => {
    video.requestVideoFrameCallback(look);
    drawing.drawImage(video, 0, 0, 1, 1);
    const isBright = drawing.getImageData(0, 0, 1, 1).data[0] > 128;
    if (isBright && !wasBright) times.flashes.push(expectedDisplayTime / 1000);
    wasBright = isBright;
  };
  video.requestVideoFrameCallback(look);
}`;

interface FirstPictures {
  readonly clip: string;
  /** Of the first browser, for which the stream starts, and of one beside it, milliseconds, in each round. */
  readonly first: number[];
  readonly later: number[];
}

/** A browser's own WebRTC: time to the first picture, and sync error of shown picture and played sound. */
export const whep: BenchPart = async (context) => {
  if (!HAS_CHROMIUM) throw new Failure(`whep needs Chromium at ${CHROMIUM}, or CHROMIUM_PATH`, 3);
  checkout();
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: [...FLAGS, WITH_SOUND] });
  try {
    const pictures = CLIPS.map((clip): FirstPictures => ({ clip, first: [], later: [] }));
    for (let round = 1; round <= context.rounds; round++) {
      for (const { clip, first, later } of pictures) {
        context.progress(`whep: first picture of ${clip}, round ${round} of ${context.rounds}`);
        await served(context, clip, async (url) => {
          const [one, other] = [await opened(browser, url), await opened(browser, url)];
          first.push(one.firstPictureMs);
          later.push(other.firstPictureMs);
          await one.tab.context().close();
          await other.tab.context().close();
        });
      }
    }
    context.progress('whep: picture and sound');
    const errors = await served(context, SYNC_CLIP, (url) => errorsOf(context, browser, url));
    const summary = errorSummary(errors);
    const list = (values: readonly number[]) => values.map((ms) => ms.toFixed(0)).join(' ');
    const text = [
      'First picture in Chromium, in ms from opening the address; medians, and all:',
      textTable(
        ['clip', 'first browser', 'one beside it', 'all of the first', 'all of the others'],
        pictures.map(({ clip, first, later }) => [
          clip,
          ...[median(first), median(later)].map((ms) => ms.toFixed(0)),
          ...[list(first), list(later)],
        ]),
      ),
      '',
      'Shown picture and played sound:',
      textTable(ERROR_COLUMNS, [errorCells(summary)]),
    ].join('\n');
    return { text, figures: { pictures, sync: summary } };
  } finally {
    await browser.close();
  }
};

/** Serves a clip by WHEP while `use` runs. */
async function served<T>({ programs }: PartContext, clip: string, use: (url: string) => Promise<T>): Promise<T> {
  const parameters = ['bin/dropframe.js', 'send', clip, '--loop', '--no-rtsp', '--listen', '127.0.0.1:0'];
  const sending = programs.start(process.execPath, [...parameters, '--whep', '127.0.0.1:0'], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    const [url] = await line(sending.stderr!, /http:\/\/127\.0\.0\.1:\d+\/\S+/, 'the sender');
    return await use(url);
  } finally {
    await programs.stop(sending);
  }
}

/** Opens the address in a new tab, and waits for its first picture. */
async function opened(browser: Browser, url: string): Promise<{ tab: Page; firstPictureMs: number }> {
  const context = await browser.newContext({ bypassCSP: true });
  const tab = await context.newPage();
  await tab.addInitScript(FIRST_PICTURE);
  await tab.goto(url);
  await tab.waitForFunction('globalThis.firstPicture !== undefined');
  return { tab, firstPictureMs: await tab.evaluate<number>('firstPicture') };
}

async function errorsOf({ signal, quick }: PartContext, browser: Browser, url: string): Promise<readonly number[]> {
  const { tab } = await opened(browser, url);
  await sleep(START_UP_MS, signal);
  await tab.evaluate(`(${OBSERVER})()`);
  await sleep((quick ? QUICK_SECONDS : SECONDS) * 1_000, signal);
  return syncOf(await tab.evaluate<Parameters<typeof syncOf>[0]>('observed')).map(({ error }) => error);
}
