import { once } from 'node:events';
import { loadavg } from 'node:os';
import { type Browser, type CDPSession, chromium } from 'playwright-core';
import { Failure } from '../io/os/failure.ts';
import { CHROMIUM, FLAGS, HAS_CHROMIUM } from '../test/browser/chromium.ts';
import { checkout, ROOT } from './checkout.ts';
import type { BenchPart, PartContext } from './part.ts';
import { processorMs, residentMegabytes } from './process-figures.ts';
import { line, sleep } from './programs.ts';
import { median, textTable } from './table.ts';
import { trendOf } from './trend.ts';

const LATENCY_MS = 200;
/** A lane on a clean link, where any delay beyond the latency comes from dropframe and the browser. */
const CLEAN = `#lanes=hybrid.${LATENCY_MS}&link=delay%3D5ms`;
/** Three lanes over the link of the demo. */
const THREE = '#lanes=reorder.200.smear,hybrid.200,tcp-cubic.200';
/** Four lanes of 720p, and Chromium's own throttling of the page's thread. */
const FOUR =
  '#lanes=hybrid.200,nack.200,reorder.200.smear,tcp-cubic.200&link=loss%3D3%25%20delay%3D20ms&source=city.mp4';
const THROTTLING = 6;
const LOOK_MS = 20;
/** Warm-up of compilers and decoders, milliseconds. */
const START_UP_MS = 5_000;
const MEMORY_MS = 30_000;
/** Growth is measured after this time. */
const SETTLED_MINUTES = 5;

/** Memory of the demo server, of the page, and of the whole browser, megabytes. */
interface Memory {
  readonly minutes: number;
  readonly server: number;
  readonly heap: number;
  readonly nodes: number;
  readonly browser: number;
}

/** The page in Chromium: time to the first picture, drawing rate, display lag and memory. */
export const page: BenchPart = async (context) => {
  if (!HAS_CHROMIUM) throw new Failure(`page needs Chromium at ${CHROMIUM}, or CHROMIUM_PATH`, 3);
  const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
  try {
    checkout();
    const starts: Start[] = [];
    for (let round = 1; round <= context.rounds; round++) {
      context.progress(`page: first picture, round ${round} of ${context.rounds}`);
      starts.push(await startOf(browser, context));
    }
    const clean = await watch(browser, CLEAN, context);
    const three = await watch(browser, THREE, context);
    const slowed = await watch(browser, FOUR, context, THROTTLING);
    const memory = await keptInMemory(browser, context);
    return {
      text: textOf({ starts, clean, three, slowed, memory }),
      figures: { starts, clean, three, slowed, memory, load: loadavg()[0] },
    };
  } finally {
    await browser.close();
  }
};

interface RunningDemo {
  readonly url: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
  readonly ended: Promise<unknown>;
}

async function startDemo(context: PartContext, command: string, args: readonly string[]): Promise<RunningDemo> {
  const demo = context.programs.start(command, [...args, '--no-open-browser'], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(demo, 'exit');
  const [url] = await line(demo.stderr!, /http:\/\/127\.0\.0\.1:\d+\//, 'the demo');
  return { url, pid: demo.pid!, stop: () => context.programs.stop(demo), ended };
}

const startServer = (context: PartContext) => startDemo(context, process.execPath, ['bin/dropframe.js', 'demo']);

/** How the page of one `npm start` opens in an open browser. */
interface Start {
  /** Time from `npm start` to the first picture on any canvas, milliseconds. */
  readonly pictureMs: number;
  /** Time from `npm start` until its address is printed, milliseconds. */
  readonly addressMs: number;
  /** Time from opening the address to the first paint, milliseconds. */
  readonly paintMs: number;
  /** Bytes of all responses, headers included, and their number. */
  readonly bytes: number;
  readonly requests: number;
}

const LOADED_SCRIPT = `(() => {
  const responses = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
  return {
    paintMs: performance.getEntriesByName('first-paint')[0]?.startTime ?? NaN,
    bytes: responses.reduce((sum, { transferSize }) => sum + transferSize, 0),
    requests: responses.length,
  };
})()`;
/** Time after the first picture in which the rest of the page is loaded, milliseconds. */
const LOAD_MS = 2_500;

async function startOf(browser: Browser, context: PartContext): Promise<Start> {
  const tab = await browser.newPage();
  const startedAt = performance.now();
  const show = await startDemo(context, 'npm', ['start', '-s', '--']);
  const addressMs = performance.now() - startedAt;
  await tab.goto(`${show.url}?tour=off`, { waitUntil: 'commit' });
  while (!(await tab.evaluate('globalThis.dropframe?.lanes.some(({ framesDrawn }) => framesDrawn > 0)')))
    await sleep(LOOK_MS, context.signal);
  const pictureMs = performance.now() - startedAt;
  await sleep(LOAD_MS, context.signal);
  const loaded = await tab.evaluate<Pick<Start, 'paintMs' | 'bytes' | 'requests'>>(LOADED_SCRIPT);
  // Ends the demo as a user does, because the process belongs to npm.
  await tab.keyboard.press('q');
  await tab.locator('#stop-dialog [value="stop"]').click();
  await show.ended;
  await tab.close();
  return { pictureMs, addressMs, ...loaded };
}

interface Watched {
  readonly pagesPerSecond: number;
  /** The decoded part in the end: `all`, `one-lane` or `key-frames`. */
  readonly decoded: string;
  /** How often it skipped to live. */
  readonly skips: number;
  /** Tasks of the page's thread above 50 ms (W3C Long Tasks), milliseconds. */
  readonly longTasksMs: readonly number[];
  /** Pictures per second of each lane. */
  readonly picturesPerSecond: readonly number[];
  /** Capture to canvas, milliseconds, for each picture of each lane. */
  readonly lagsMs: readonly (readonly number[])[];
  /** CPU time of the server as a fraction of one core. */
  readonly serverCore: number;
}

/** Page script that records, per animation frame, which lanes drew a picture and their lag behind live. */
const RECORD_SCRIPT = `(() => {
  const recorded = { pages: 0, since: performance.now(), skips: dropframe.skips, lanes: [], tasks: [] };
  globalThis.noted = recorded;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) recorded.tasks.push(duration);
  }).observe({ type: 'longtask' });
  const note = () => {
    recorded.pages += 1;
    for (const [index, { framesDrawn, lagMs }] of dropframe.lanes.entries()) {
      const lane = (recorded.lanes[index] ??= { drawn: framesDrawn, first: framesDrawn, lags: [] });
      if (framesDrawn > lane.drawn) lane.lags.push(lagMs);
      lane.drawn = framesDrawn;
    }
    requestAnimationFrame(note);
  };
  requestAnimationFrame(note);
})()`;
const READ_SCRIPT = `({
  seconds: (performance.now() - noted.since) / 1e3,
  pages: noted.pages,
  tasks: noted.tasks,
  skips: dropframe.skips - noted.skips,
  decoded: dropframe.decoded,
  lanes: noted.lanes.map(({ drawn, first, lags }) => ({ drawn: drawn - first, lags })),
})`;

interface Noted {
  readonly seconds: number;
  readonly pages: number;
  readonly tasks: readonly number[];
  readonly skips: number;
  readonly decoded: string;
  readonly lanes: readonly { readonly drawn: number; readonly lags: readonly number[] }[];
}

/** @param throttling factor by which Chromium slows the page's thread; 1: not. */
async function watch(browser: Browser, hash: string, context: PartContext, throttling = 1): Promise<Watched> {
  const what = { [CLEAN]: 'a lane on a clean link', [THREE]: 'three lanes', [FOUR]: 'four lanes, slowed' }[hash];
  context.progress(`page: how it draws, ${what}`);
  const show = await startServer(context);
  const tab = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  await tab.goto(`${show.url}?tour=off${hash}`);
  if (throttling > 1) {
    const page = await tab.context().newCDPSession(tab);
    await page.send('Emulation.setCPUThrottlingRate', { rate: throttling });
  }
  await sleep(START_UP_MS, context.signal);
  await tab.evaluate(RECORD_SCRIPT);
  const [at, before] = [performance.now(), processorMs(show.pid)];
  await sleep(context.quick ? 5_000 : 30_000, context.signal);
  const serverCore = (processorMs(show.pid) - before) / (performance.now() - at);
  const noted = await tab.evaluate<Noted>(READ_SCRIPT);
  await tab.close();
  await show.stop();
  return {
    pagesPerSecond: noted.pages / noted.seconds,
    longTasksMs: noted.tasks,
    skips: noted.skips,
    decoded: noted.decoded,
    picturesPerSecond: noted.lanes.map(({ drawn }) => drawn / noted.seconds),
    lagsMs: noted.lanes.map(({ lags }) => lags),
    serverCore,
  };
}

async function keptInMemory(browser: Browser, context: PartContext): Promise<Memory[]> {
  const show = await startServer(context);
  const tab = await browser.newPage({ viewport: { width: 1280, height: 720 } });
  await tab.goto(`${show.url}?tour=off${THREE}`);
  const page = await tab.context().newCDPSession(tab);
  const whole = await browser.newBrowserCDPSession();
  await page.send('Performance.enable');
  const startedAt = performance.now();
  const samples: Memory[] = [];
  for (let minutes = 0; minutes < context.minutes; ) {
    await sleep(MEMORY_MS, context.signal);
    minutes = (performance.now() - startedAt) / 60e3;
    samples.push({ minutes, server: residentMegabytes(show.pid), ...(await memoryOf(page, whole)) });
    const { server, heap, browser: all } = samples.at(-1)!;
    context.progress(
      `page: ${minutes.toFixed(1)} of ${context.minutes} minutes; server ${server.toFixed(0)} MB, ` +
        `heap of the page ${heap.toFixed(1)} MB, browser ${all.toFixed(0)} MB`,
    );
  }
  await tab.close();
  await show.stop();
  return samples;
}

async function memoryOf(page: CDPSession, whole: CDPSession): Promise<Omit<Memory, 'minutes' | 'server'>> {
  await page.send('HeapProfiler.collectGarbage');
  const { metrics } = await page.send('Performance.getMetrics');
  const metric = (wanted: string) => metrics.find(({ name }) => name === wanted)?.value ?? Number.NaN;
  const { processInfo } = await whole.send('SystemInfo.getProcessInfo');
  const browser = processInfo.reduce((sum, { id }) => sum + residentMegabytes(id), 0);
  return { heap: metric('JSHeapUsedSize') / 1e6, nodes: metric('Nodes'), browser };
}

function textOf(found: {
  readonly starts: readonly Start[];
  readonly clean: Watched;
  readonly three: Watched;
  readonly slowed: Watched;
  readonly memory: readonly Memory[];
}): string {
  const { starts, clean, three, slowed, memory } = found;
  const settled = memory.filter(({ minutes }) => minutes > Math.min(SETTLED_MINUTES, memory.at(-1)!.minutes / 2));
  const kept = (name: 'server' | 'heap' | 'nodes' | 'browser', words: string): string[] => {
    const values = settled.map((sample) => sample[name]);
    const { slope, margin } = trendOf(settled.map((sample) => [sample.minutes / 60, sample[name]] as const));
    const read = [values[0]!, Math.min(...values), Math.max(...values), values.at(-1)!].map((value) =>
      value.toFixed(1),
    );
    return [words, ...read, Number.isNaN(slope) ? '–' : `${slope.toFixed(1)} ± ${margin.toFixed(1)}`];
  };
  const drawn = (
    words: string,
    { pagesPerSecond, longTasksMs, picturesPerSecond, lagsMs, serverCore, skips, decoded }: Watched,
    lane: number,
  ) => {
    const lags = (lagsMs[lane] ?? []).toSorted((a, b) => a - b);
    const at = (share: number) => (lags[Math.floor(lags.length * share)] ?? Number.NaN).toFixed(0);
    return [
      words,
      pagesPerSecond.toFixed(1),
      picturesPerSecond.map((rate) => rate.toFixed(1)).join(' '),
      at(0.5),
      at(0.95),
      (lags.at(-1) ?? Number.NaN).toFixed(0),
      `${skips}, ${decoded}`,
      `${(serverCore * 100).toFixed(1)} %`,
      longTasksMs.length === 0 ? '0' : `${longTasksMs.length}, to ${Math.max(...longTasksMs).toFixed(0)} ms`,
    ];
  };
  return [
    'From "npm start", in ms, with Chromium already open; first paint from opening the address:',
    textTable(
      ['', 'median', 'all'],
      (
        [
          ['address printed', ({ addressMs }) => addressMs],
          ['first paint', ({ paintMs }) => paintMs],
          ['first picture on a canvas', ({ pictureMs }) => pictureMs],
        ] as readonly [string, (start: Start) => number][]
      ).map(([words, value]) => {
        const values = starts.map(value);
        return [words, median(values).toFixed(0), values.map((each) => each.toFixed(0)).join(' ')];
      }),
    ),
    `Page: ${median(starts.map(({ bytes }) => bytes / 1_000)).toFixed(0)} kB in ${starts[0]!.requests} responses, as sent.`,
    '',
    `Drawing at 1280 × 720, headless and without GPU, at a load of ${loadavg()[0]!.toFixed(0)} at the end. Capture to canvas in ms, with a latency of ${LATENCY_MS} ms:`,
    textTable(
      ['', 'pages/s', 'pictures/s', 'p50', 'p95', 'longest', 'skips, decoded', 'server', 'tasks > 50 ms'],
      [
        drawn('one lane, clean link', clean, 0),
        drawn('three lanes, hybrid', three, 1),
        drawn(`four lanes of 720p slowed ${THROTTLING} times, hybrid`, slowed, 0),
      ],
    ),
    '',
    `Memory over ${memory.at(-1)!.minutes.toFixed(0)} minutes of three lanes, MB (heap after garbage collection), without the first ${Math.min(SETTLED_MINUTES, memory.at(-1)!.minutes / 2).toFixed(1)} minutes:`,
    textTable(
      ['', 'first', 'least', 'most', 'last', 'per hour (95 %)'],
      [
        kept('server', 'server, resident'),
        kept('heap', 'heap of the page'),
        kept('nodes', 'nodes of the page'),
        kept('browser', 'browser, resident'),
      ],
    ),
  ].join('\n');
}
