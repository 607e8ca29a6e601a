// Makes the pictures of the page with the lanes afresh: `npm run screenshots`. It starts the demo as anyone would, looks
// at it in Debian's Chromium, and writes the README's still and moving picture beside this file and all four forms
// (1280 × 720 and 390 × 844, light and dark) into out/screenshots/. It needs chromium, and an ffmpeg with libwebp.
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const folder = dirname(fileURLToPath(import.meta.url));
const root = join(folder, '../..');
const forms = join(root, 'out/screenshots');
const ffmpeg = process.env.FFMPEG_PATH || 'ffmpeg';
const chromiumPath = process.env.CHROMIUM_PATH || '/usr/bin/chromium';
const flags = '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking';

/** By then TCP is seconds behind: the picture shows what the page is about. */
const SETTLE_MS = 20_000;
const FORMS = [
  { width: 1280, height: 720, colorScheme: 'light' },
  { width: 1280, height: 720, colorScheme: 'dark' },
  { width: 390, height: 844, colorScheme: 'light' },
  { width: 390, height: 844, colorScheme: 'dark' },
];
const FILM = { width: 1280, height: 720, scaledTo: 800, framesPerSecond: 8, milliseconds: 9_000, quality: 42 };
const FILM_BYTES_MAX = 3_000_000;

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function startDemo() {
  const demo = spawn(process.execPath, [join(root, 'bin/dropframe.js'), 'demo', '--no-open-browser'], {
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

/** The page's policy forbids what `waitForFunction` does. */
async function everyLaneDrawn(page) {
  while (!(await page.evaluate('dropframe.lanes.every(({ framesDrawn }) => framesDrawn > 60)'))) await sleep(100);
}

async function takeForms(browser, url) {
  mkdirSync(forms, { recursive: true });
  for (const { width, height, colorScheme } of FORMS) {
    const context = await browser.newContext({ viewport: { width, height }, colorScheme });
    const page = await context.newPage();
    await page.goto(url);
    await everyLaneDrawn(page);
    await sleep(3_000);
    const name = `lanes-${width}-${colorScheme}`;
    await page.screenshot({ path: join(forms, `${name}.png`) });
    await page.screenshot({ path: join(forms, `${name}-whole.png`), fullPage: true });
    console.log(`out/screenshots/${name}.png`);
    await context.close();
  }
  copyFileSync(join(forms, 'lanes-1280-light.png'), join(folder, 'lanes.png'));
  copyFileSync(join(forms, 'lanes-1280-dark.png'), join(folder, 'lanes-dark.png'));
}

/** What the browser draws, as it draws it; in the course of it packets are dropped and the link is frozen. */
async function film(browser, url) {
  const { width, height, milliseconds } = FILM;
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: 'dark' });
  const page = await context.newPage();
  await page.goto(url);
  await everyLaneDrawn(page);
  const frames = mkdtempSync(join(tmpdir(), 'dropframe-film-'));
  const taken = [];
  const client = await context.newCDPSession(page);
  client.on('Page.screencastFrame', ({ data, metadata, sessionId }) => {
    const name = `${String(taken.length).padStart(5, '0')}.jpg`;
    writeFileSync(join(frames, name), Buffer.from(data, 'base64'));
    taken.push({ name, at: metadata.timestamp });
    void client.send('Page.screencastFrameAck', { sessionId }).catch(() => {});
  });
  await client.send('Page.startScreencast', { format: 'jpeg', quality: 92, everyNthFrame: 2 });
  await sleep(milliseconds * 0.3);
  await page.locator('#drop').click();
  await sleep(milliseconds * 0.35);
  await page.locator('#freeze').click();
  await sleep(milliseconds * 0.35);
  await client.send('Page.stopScreencast');
  await context.close();
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

const demo = await startDemo();
const browser = await chromium.launch({ executablePath: chromiumPath, headless: true, args: flags.split(' ') });
try {
  await sleep(SETTLE_MS);
  await film(browser, demo.url);
  await takeForms(browser, demo.url);
} finally {
  await browser.close();
  demo.end();
}
