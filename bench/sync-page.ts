import { chromium } from 'playwright-core';
import { Failure } from '../io/os/failure.ts';
import { CHROMIUM, FLAGS, HAS_CHROMIUM } from '../test/browser/chromium.ts';
import { syncOf } from '../test/flash-and-beep.ts';
import { ROOT } from './checkout.ts';
import { NOTE_BEEPS } from './onset-detector.ts';
import type { PartContext } from './part.ts';
import { line, sleep } from './programs.ts';

const START_UP_MS = 5_000;

/** Notes when the canvas turns white, in an animation frame, and when a beep leaves the loudspeaker, seconds. */
const OBSERVER = `async () => {
  const times = { flashes: [], beeps: [] };
  globalThis.observed = times;
  const { output } = dropframe.sound;
  await (${NOTE_BEEPS})(output.context, () => output, times.beeps);
  const canvas = document.querySelector('#video');
  let wasBright = true;
  const look = (at) => {
    requestAnimationFrame(look);
    const [luma] = canvas.getContext('2d').getImageData(canvas.width / 2, canvas.height / 2, 1, 1).data;
    const isBright = luma > 128;
    // A drawing is shown at the end of its frame: by the time of the frame, not earlier.
    if (isBright && !wasBright) times.flashes.push(at / 1000);
    wasBright = isBright;
  };
  requestAnimationFrame(look);
}`;

/** Plays the stream on the page, and observes its canvas and its audio graph. */
export async function pageErrors(
  { programs, signal }: PartContext,
  sender: string,
  link: string | undefined,
  seconds: number,
): Promise<readonly number[]> {
  if (!HAS_CHROMIUM) throw new Failure(`sync needs Chromium at ${CHROMIUM}, or CHROMIUM_PATH`, 3);
  const options = ['receive', sender, '--play', 'browser', '--no-open-browser', '--page-port', '0'];
  const receiving = programs.start(
    process.execPath,
    ['bin/dropframe.js', ...options, ...(link === undefined ? [] : ['--link', link])],
    { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
  try {
    const [url] = await line(receiving.stderr!, /http:\/\/127\.0\.0\.1:\d+\//, 'the receiver');
    const context = await browser.newContext({ bypassCSP: true });
    const tab = await context.newPage();
    await tab.goto(url);
    await tab.getByText('Turn sound on').click();
    while (!(await tab.evaluate('dropframe.sound.heardUs !== undefined'))) await sleep(50, signal);
    await sleep(START_UP_MS, signal);
    await tab.evaluate(`(${OBSERVER})()`);
    await sleep(seconds * 1_000, signal);
    return syncOf(await tab.evaluate<Parameters<typeof syncOf>[0]>('observed')).map(({ error }) => error);
  } finally {
    await browser.close();
    await programs.stop(receiving);
  }
}
