// Takes the README's pictures of the page: `npm run screenshots`. It starts the demo, opens it in Debian's Chromium,
// and writes the README's stills and animation next to this file. With --film it makes only the animation, with --stills
// only the stills; with --forms it writes the page, and the pages of the site, in four sizes, light and dark, into
// out/screenshots/, at normal speed.
// It needs chromium, and for the animation an ffmpeg with libwebp.
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { tsImport } from 'tsx/esm/api';

const folder = dirname(fileURLToPath(import.meta.url));
const root = join(folder, '../..');
const forms = join(root, 'out/screenshots');
const ffmpeg = process.env.FFMPEG_PATH || 'ffmpeg';
const { CHROMIUM, FLAGS } = await tsImport('../../test/browser/chromium.ts', import.meta.url);

/** Running time before the README's pictures, milliseconds: TCP is seconds behind by then. */
const SETTLE_MS = 8_000;
const SIZES = [
  { width: 1280, height: 720 },
  { width: 390, height: 844 },
  { width: 1920, height: 1080 },
  { width: 2560, height: 1440 },
];
const COLOR_SCHEMES = ['light', 'dark'];
/** The animation shows the lanes alone, which a browser without a GPU can draw and record at once. */
const FILM = { width: 1280, height: 524, scaledTo: 960, framesPerSecond: 8, milliseconds: 9_000, quality: 50 };
const FILM_BYTES_MAX = 3_000_000;
/** Lag of a browser that keeps up, milliseconds: latency, link delay, and drawing without a GPU. */
const CALM_LAG_MS = 320;
/** Running time before the recording, milliseconds: TCP is more than a second behind by then. */
const FILM_SETTLE_MS = 9_000;
const CALM_PATIENCE_MS = 15_000;
/** Time after which the charts have the colors of another scheme, milliseconds. */
const RECOLOR_MS = 600;
/** Time until a page counts as hanging, milliseconds. */
const PATIENCE_MS = 180_000;

/**
 * Slow-down of the clocks and timers of demo and browser while pictures are taken; the recording is then played at normal speed.
 * The machine keeps up that way, so the lag on screen is the network's and not the recorder's.
 */
const SLOWER = process.argv.includes('--forms') ? 1 : 8;
const SLOW_CLOCK = `
  const [now, timeout, interval] = [performance.now.bind(performance), setTimeout, setInterval];
  performance.now = () => now() / ${SLOWER};
  globalThis.setTimeout = (call, after = 0, ...more) => timeout(call, after * ${SLOWER}, ...more);
  globalThis.setInterval = (call, after = 0, ...more) => interval(call, after * ${SLOWER}, ...more);`;

/** Sizes of the pictures that are made: the README's alone, or all. Large windows take minutes without a GPU, which CI does not have. */
const sizesHere = () => (formsOnly ? SIZES.filter(({ width }) => !process.env.CI || width <= 1280) : SIZES.slice(0, 1));

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Starts the demo with slow clocks. */
async function startDemo() {
  const command = ['--import', `data:text/javascript,${encodeURIComponent(SLOW_CLOCK)}`, join(root, 'bin/dropframe.js'), 'demo', '--no-open-browser'];
  const demo = spawn(process.execPath, command, {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const url = await new Promise((resolve, reject) => {
    let said = '';
    demo.stderr.on('data', (chunk) => {
      said += chunk;
      const found = /http:\/\/127\.0\.0\.1:\d+\//.exec(said);
      if (found) resolve(found[0]);
    });
    demo.once('exit', () => reject(new Error(`the demo ended: ${said}`)));
  });
  return { url, end: () => demo.kill('SIGINT') };
}

/** Waits until every lane draws. The page's content security policy forbids `waitForFunction`. */
async function everyLaneDrawn(page) {
  const drawn = 'globalThis.dropframe?.lanes.length > 2 && dropframe.lanes.every(({ framesDrawn }) => framesDrawn > 60)';
  while (!(await page.evaluate(drawn))) await sleep(100);
}

/** Waits until the browser keeps up, judged by the lag of the UDP hybrid lane. */
async function untilCalm(page) {
  const until = Date.now() + CALM_PATIENCE_MS;
  while (!((await page.evaluate('dropframe.lanes[1].lagMs')) < CALM_LAG_MS) && Date.now() < until) await sleep(50);
}

async function takeForms(browser, url) {
  mkdirSync(forms, { recursive: true });
  for (const size of sizesHere()) {
    const context = await browser.newContext({ viewport: size });
    context.setDefaultTimeout(PATIENCE_MS);
    await context.addInitScript(SLOW_CLOCK);
    const page = await context.newPage();
    await page.goto(`${url}?tour=off`);
    await everyLaneDrawn(page);
    // Their lag on screen matters in the README's pictures only.
    if (!formsOnly) await sleep(3_000 * SLOWER);
    if (!formsOnly) await untilCalm(page);
    await inBothSchemes(page, `lanes-${size.width}`);
    await context.close();
  }
  if (formsOnly) return;
  copyFileSync(join(forms, 'lanes-1280-light.png'), join(folder, 'lanes.png'));
  copyFileSync(join(forms, 'lanes-1280-dark.png'), join(folder, 'lanes-dark.png'));
}

/** Takes the visible part of a page in light and in dark; of the lanes also the whole, where it is longer. */
async function inBothSchemes(page, name) {
  const isLonger = name.startsWith('lanes') && (await page.evaluate('document.documentElement.scrollHeight > innerHeight'));
  for (const colorScheme of COLOR_SCHEMES) {
    await page.emulateMedia({ colorScheme });
    await sleep(RECOLOR_MS * SLOWER);
    const path = join(forms, `${name}-${colorScheme}`);
    await page.screenshot({ path: `${path}.png` });
    if (isLonger) await page.screenshot({ path: `${path}-whole.png`, fullPage: true });
    console.log(`out/screenshots/${name}-${colorScheme}.png`);
  }
}

/** Longest wait for the lanes of the site, milliseconds. */
const SITE_PATIENCE_MS = 60_000;
/** Pages of the site, the home page and its demo with all lanes drawn. */
const SITE = { home: 'index.html', demo: 'demo.html?tour=off', document: 'docs/RESULTS.html' };

async function takeSiteForms(browser) {
  const { serveFolder } = await tsImport('../../test/browser/file-server.ts', import.meta.url);
  const site = join(root, 'out/site');
  const { status } = spawnSync(process.execPath, [join(root, 'site/build.js'), site], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the site could not be built');
  const server = await serveFolder(site);
  for (const size of sizesHere()) {
    for (const [name, path] of Object.entries(SITE)) {
      const context = await browser.newContext({ viewport: size });
      context.setDefaultTimeout(PATIENCE_MS);
      const page = await context.newPage();
      await page.goto(server.url + path);
      if (name !== 'document') await lanesOfSiteDrawn(page);
      await inBothSchemes(page, `site-${name}-${size.width}`);
      await context.close();
    }
  }
  server.close();
}

/** Waits until each lane has drawn some video, on the page or in its frame. */
async function lanesOfSiteDrawn(page) {
  // The home page has the lanes in a frame, the demo in itself.
  const frame = page.frames().find((each) => each.url().includes('demo.html'));
  const drawn = 'globalThis.dropframe?.lanes?.length === 3 && dropframe.lanes.every(({ framesDrawn }) => framesDrawn > 20)';
  const until = Date.now() + SITE_PATIENCE_MS;
  while (!(await frame.evaluate(drawn))) {
    if (Date.now() > until) throw new Error('the lanes of the site have not drawn');
    await sleep(100);
  }
}

/** Records the page while packets are dropped and the link has an outage. */
async function film(browser) {
  const { width, height, milliseconds, scaledTo } = FILM;
  const demo = await startDemo();
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: 'dark' });
  context.setDefaultTimeout(PATIENCE_MS);
  await context.addInitScript(SLOW_CLOCK);
  const page = await context.newPage();
  await page.goto(`${demo.url}?tour=off`);
  await everyLaneDrawn(page);
  const client = await context.newCDPSession(page);
  await client.send('Animation.enable');
  await client.send('Animation.setPlaybackRate', { playbackRate: 1 / SLOWER });
  await sleep(FILM_SETTLE_MS * SLOWER);
  const frames = mkdtempSync(join(tmpdir(), 'dropframe-film-'));
  const taken = [];
  client.on('Page.screencastFrame', ({ data, metadata, sessionId }) => {
    const name = `${String(taken.length).padStart(5, '0')}.jpg`;
    writeFileSync(join(frames, name), Buffer.from(data, 'base64'));
    taken.push({ name, at: metadata.timestamp / SLOWER });
    void client.send('Page.screencastFrameAck', { sessionId }).catch(() => {});
  });
  const lags = [];
  const watch = async (share) => {
    const until = Date.now() + milliseconds * share * SLOWER;
    while (Date.now() < until) {
      await sleep(500);
      lags.push(await page.evaluate('dropframe.lanes[1].lagMs'));
    }
  };
  await client.send('Page.startScreencast', { format: 'jpeg', quality: 90, maxWidth: scaledTo, everyNthFrame: 2 });
  await watch(0.3);
  await page.evaluate('document.querySelector("#drop").click()');
  await watch(0.35);
  const lagMax = Math.round(Math.max(...lags));
  await page.evaluate('document.querySelector("#freeze").click()');
  await watch(0.35);
  await client.send('Page.stopScreencast');
  await context.close();
  demo.end();
  console.log(`recorded: the UDP hybrid lane was at most ${lagMax} ms behind live`);
  const list = taken.slice(0, -1).map(({ name, at }, index) => {
    return `file '${name}'\nduration ${(taken[index + 1].at - at).toFixed(4)}`;
  });
  writeFileSync(join(frames, 'list.txt'), `${list.join('\n')}\n`);
  const path = join(folder, 'lanes.webp');
  encode(join(frames, 'list.txt'), path);
  rmSync(frames, { recursive: true });
  const { size } = statSync(path);
  console.log(`docs/images/lanes.webp: ${taken.length} pictures taken, ${Math.round(size / 1_000)} kB`);
  if (size > FILM_BYTES_MAX) throw new Error('lanes.webp is too large for a README');
}

function encode(list, path) {
  const { framesPerSecond, scaledTo, quality } = FILM;
  const filter = `fps=${framesPerSecond},scale=${scaledTo}:-2:flags=lanczos`;
  const options = ['-c:v', 'libwebp_anim', '-quality', String(quality), '-compression_level', '6', '-loop', '0'];
  const input = ['-v', 'error', '-y', '-f', 'concat', '-safe', '0', '-i', list];
  const { status } = spawnSync(ffmpeg, [...input, '-vf', filter, ...options, path], { stdio: 'inherit' });
  if (status !== 0) throw new Error('ffmpeg could not make the moving picture');
}

const filmOnly = process.argv.includes('--film');
const formsOnly = process.argv.includes('--forms');
const stillsOnly = process.argv.includes('--stills');
const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
try {
  if (!filmOnly) {
    const demo = await startDemo();
    if (!formsOnly) await sleep(SETTLE_MS * SLOWER);
    await takeForms(browser, demo.url);
    demo.end();
    if (formsOnly) await takeSiteForms(browser);
  }
  if (!formsOnly && !stillsOnly) await film(browser);
} finally {
  await browser.close();
}
