import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { readReadyMadeTrace } from '../../io/ready-made-traces.ts';
import { parseScenario } from '../../lab/scenario.ts';
import type { LaneFigures } from '../../protocol/page/lane-message.ts';
import type { LaneServer, LaneServerOptions } from '../../session/lanes/lane-server.ts';
import { PATIENCE } from '../patience.ts';
import { inChromium } from './browser.ts';
import {
  beginningOf,
  browser,
  colorsOnCanvas,
  decided,
  LANE,
  nextFrame,
  opened,
  pageState,
  pictureOnCanvas,
  SAMPLE,
  SAMPLES,
  tabAt,
  untilPage,
} from './lane-tab.ts';

/** Number of frames in samples/counter.mp4. */
const FRAMES_OF_SAMPLE = 360;
/** Number of frames of it that are as many as losses need to show: two groups of pictures. */
const FRAMES_OF_BEGINNING = 120;

inChromium('decodes the clip onto the canvas of every lane', async () => {
  const tab = await tabAt(await opened('delay=10ms'));
  await untilPage(tab, ({ lanes }) => lanes.length === 3 && lanes.every(({ framesDrawn }) => framesDrawn >= 45));
  expect((await pageState(tab)).state).toBe('live');
  for (let lane = 0; lane < 3; lane++) expect(await colorsOnCanvas(tab, lane)).toBeGreaterThan(200);
});

inChromium('loses frames over UDP reorder, adds lag over TCP, and does neither over UDP hybrid', async () => {
  const tab = await tabAt(await opened('loss=6% burst=2 delay=30ms'));
  await untilPage(tab, ({ lanes: [bare, , tcp] }) => {
    const isLossy = (bare?.figures?.framesLost ?? 0) > 15 && bare?.figures?.lagMsP95 !== null;
    return isLossy && (tcp?.figures?.lagMsP95 ?? 0) > 300;
  });
  const [bare, hybrid, tcp] = (await pageState(tab)).lanes.map(({ figures }) => figures!);
  expect(bare!.lagMsP95).toBeLessThan(300);
  expect(hybrid!.framesLost + hybrid!.framesLate).toBeLessThan(bare!.framesLost);
  expect(hybrid!.lagMsP95).toBeLessThan(300);
  expect(tcp!.framesLost).toBe(0);
});

inChromium('says in words what each lane does, and in one sentence what the network did', async () => {
  const tab = await tabAt(await opened('loss=6% burst=2 delay=30ms'));
  const verdict = (lane: number, words: string) =>
    tab.locator('.lane').nth(lane).locator('.verdict', { hasText: words }).waitFor();
  await verdict(0, 'On time, damaged');
  await verdict(1, 'On time, whole');
  await verdict(2, 'late');
  await tab.locator('#lesson', { hasText: /The network lost \d+.packets? in the last 3 seconds/ }).waitFor();
  await tab.locator('#lesson', { hasText: 'UDP without recovery shows the damage' }).waitFor();
  await tab.locator('#lesson', { hasText: 'TCP makes everyone wait' }).waitFor();
  await tab.locator('#announced', { hasText: 'Lane 2, UDP hybrid: on time, whole' }).waitFor({ state: 'attached' });
  const { figures } = (await pageState(tab)).lanes[0]!;
  expect(figures!.framesDamaged).toBeGreaterThan(0);
  // The summary's figures and the page's are the same.
  const right = await tab.locator('.lane').nth(0).locator('[data-figure="right"]').textContent();
  expect(Number.parseFloat(right!)).toBeLessThan(90);
});

inChromium('explains a word where one looks at it: by pointer, by keyboard and by touch', async () => {
  const tab = await tabAt(await opened('delay=10ms'));
  const term = tab.locator('.term', { hasText: 'Behind live' }).first();
  const hint = tab.locator('#hint');
  await term.hover();
  await hint.getByText('Age of the newest shown frame').waitFor();
  await tab.keyboard.press('Escape');
  await hint.waitFor({ state: 'hidden' });
  await term.focus();
  await hint.getByText('Age of the newest shown frame').waitFor();
  await tab.locator('#rates-heading .term').focus();
  await hint.getByText('The last half minute').waitFor();
});

inChromium('makes packets wait after five drops in the TCP lane only', async () => {
  const tab = await tabAt(await opened('delay=40ms'));
  await untilPage(tab, ({ lanes }) => lanes.length === 3 && lanes.every(({ framesDrawn }) => framesDrawn >= 15));
  expect((await pageState(tab)).lanes.map(({ heldLately }) => heldLately)).toEqual([0, 0, 0]);
  await tab.locator('#drop').click();
  await untilPage(tab, ({ lanes }) => (lanes[2]?.heldLately ?? 0) >= 3);
  const held = (await pageState(tab)).lanes.map(({ heldLately }) => heldLately);
  expect(held.slice(0, 2)).toEqual([0, 0]);
  await untilPage(tab, ({ lanes }) => (lanes[0]?.figures?.packetsLost ?? 0) === 5);
});

inChromium('shows the same figures as the summary', async () => {
  const media = await beginningOf(SAMPLE, FRAMES_OF_BEGINNING);
  const show = await opened('loss=5% delay=20ms', { source: { name: 'beginning', media }, loop: false });
  const tab = await tabAt(show);
  // After the end of the clip only feedback and control packets are still counted.
  const settled = (figures: LaneFigures | undefined) => ({ ...figures, seconds: 0, pathBytes: 0, overhead: 0 });
  await untilPage(
    tab,
    ({ lanes }) => lanes.length === 3 && lanes.every(({ figures }) => decided(figures) === FRAMES_OF_BEGINNING),
  );
  const answer = await fetch(`${show.url}summary.json`);
  const summary = (await answer.json()) as LaneServer['summary'];
  expect((await pageState(tab)).lanes.map(({ figures }) => settled(figures))).toEqual(
    summary.lanes.map(({ figures }) => settled(figures)),
  );
  for (const [index, { figures }] of summary.lanes.entries()) {
    if (!figures) throw new Error('a lane has figures');
    const cell = async (name: string) => {
      const text = await tab.locator('.lane').nth(index).locator(`[data-figure="${name}"]`).textContent();
      return Number.parseInt(text ?? '', 10);
    };
    expect([await cell('onTime'), await cell('recovered'), await cell('late'), await cell('lost')]).toEqual([
      figures.framesOnTime,
      figures.framesRecovered,
      figures.framesLate,
      figures.framesLost,
    ]);
    expect(await cell('freezes')).toBe(figures.freezes);
  }
});

inChromium('shows the same lanes in a second tab, which keeps running when the first is closed', async () => {
  const show = await opened('delay=10ms');
  const first = await tabAt(show);
  const second = await tabAt(show);
  await first.locator('#add-lane').click();
  await untilPage(second, ({ lanes }) => lanes.length === 4);
  await first.close();
  const before = (await pageState(second)).lanes[1]!.framesDrawn;
  await untilPage(second, ({ lanes }, drawn) => lanes[1]!.framesDrawn > drawn + 30, before);
});

inChromium('shows the details of a frame selected in the timeline', async () => {
  const tab = await tabAt(await opened('delay=20ms'));
  // A low number comes again soon after the second restart.
  await tab.locator('#restart').click();
  await untilPage(tab, ({ lanes }) => lanes.length === 3 && lanes.every(({ framesDrawn }) => framesDrawn >= 15));
  const timeline = tab.locator('.lane').nth(1).locator('.timeline');
  const help = await tab.locator('#details-body').textContent();
  const rows = tab.locator('#details-body tr');
  // A busy machine leaves gaps in a timeline, where a click finds no frame. The search goes from right to left, and
  // again over newer frames.
  while ((await rows.count()) === 0) {
    const { framesDrawn } = (await pageState(tab)).lanes[1]!;
    await untilPage(tab, ({ lanes }, before) => lanes[1]!.framesDrawn >= before + 15, framesDrawn);
    await tab.keyboard.press('Space');
    const { x, y, width } = (await timeline.boundingBox())!;
    for (let at = width - 10; at > 80 && (await rows.count()) === 0; at -= 20) await tab.mouse.click(x + at, y + 60);
    if ((await rows.count()) === 0) await tab.keyboard.press('Space');
  }
  await tab.locator('#details-body').getByText('shown on time').waitFor();
  expect(await rows.count()).toBeGreaterThan(1);
  // After a restart, the same number is another frame: the one of before is no longer shown.
  const chosen = Number(await timeline.getAttribute('aria-valuenow'));
  await tab.keyboard.press('Space');
  await tab.locator('#restart').click();
  await untilPage(tab, ({ lanes }) => decided(lanes[1]?.figures) < chosen);
  await untilPage(tab, ({ lanes }) => decided(lanes[1]?.figures) > chosen + 15);
  expect(await tab.locator('#details-body').textContent()).toBe(help);
  expect(await timeline.getAttribute('aria-valuetext')).toBe('no frame selected');
});

inChromium('names the number that is seen in the picture, and steps from picture to picture', async () => {
  // With B-frames.
  const tab = await tabAt(await opened('delay=20ms', { lanes: [LANE] }));
  await untilPage(tab, ({ lanes }) => lanes[0]!.framesDrawn >= 30);
  await tab.keyboard.press('Space');
  await tab.locator('#frame-before').click();
  const name = tab.locator('#details-body .frame-name');
  const named = async () => Number(/^UDP hybrid: picture (\d+) \(0:\d\d\.\d\)$/.exec((await name.textContent())!)![1]);
  const seen = await named();
  expect(await pictureOnCanvas(tab, seen)).toBe(seen);
  // Neighbors as they are shown, not as they are sent. The clip is repeated.
  const steps: number[] = [];
  for (const button of ['before', 'before', 'before', 'after', 'before']) {
    await tab.locator(`#frame-${button}`).click();
    steps.push(((await named()) - seen + FRAMES_OF_SAMPLE) % FRAMES_OF_SAMPLE);
  }
  expect(steps).toEqual([-1, -2, -3, -2, -3].map((step) => step + FRAMES_OF_SAMPLE));
  expect(await tab.locator('#details-body tr').count()).toBeGreaterThan(1);
});

inChromium('rejects a file that is not a video with a message, and keeps the lanes running', async () => {
  const tab = await tabAt(await opened('delay=10ms'));
  const file = { name: 'notes.mp4', mimeType: 'video/mp4', buffer: Buffer.from('no video at all') };
  await tab.locator('#file').setInputFiles(file);
  await tab
    .locator('#message')
    .getByText('notes.mp4')
    .getByText(/is not a video|no index|contains no/)
    .waitFor();
  const before = (await pageState(tab)).lanes[1]!.framesDrawn;
  await untilPage(tab, ({ lanes }, drawn) => lanes[1]!.framesDrawn > drawn + 15, before);
});

inChromium('plays an uploaded file in all lanes', async () => {
  const tab = await tabAt(await opened('delay=10ms'));
  const buffer = readFileSync(join(SAMPLES, 'counter.h264'));
  await tab.locator('#file').setInputFiles({ name: 'mine.h264', mimeType: 'video/h264', buffer });
  await untilPage(tab, ({ settings, lanes }) => {
    return settings?.source === 'mine.h264' && lanes.every(({ figures }) => decided(figures) >= 30);
  });
  expect((await pageState(tab)).settings!.sources).toEqual(['counter.mp4', 'mine.h264']);
  // A window that is busy skips pictures.
  await vi.waitFor(async () => expect(await colorsOnCanvas(tab, 2)).toBeGreaterThan(200), PATIENCE);
  // A file with the name of another source does not replace it.
  await tab.locator('#file').setInputFiles(join(SAMPLES, 'counter.mp4'));
  await untilPage(tab, ({ settings }) => settings?.source === 'counter.mp4 (yours)');
  await tab.locator('#source').selectOption('counter.mp4');
  await untilPage(tab, ({ settings }) => settings?.source === 'counter.mp4');
});

inChromium('responds to the keys for pause, lane selection, explanations, panels and stop', async () => {
  let ended = false;
  const tab = await tabAt(await opened('delay=10ms', { onEnd: () => (ended = true) }));
  await untilPage(tab, ({ lanes }) => lanes.every(({ framesDrawn }) => framesDrawn >= 15));
  await tab.keyboard.press('Space');
  await untilPage(tab, ({ state }) => state === 'paused');
  await tab.keyboard.press('Space');
  await untilPage(tab, ({ state }) => state === 'live');
  await tab.keyboard.press('2');
  expect(await tab.locator('.lane.chosen').getAttribute('aria-label')).toBe('Lane: UDP hybrid');
  await tab.keyboard.press('?');
  expect(await tab.getByText('Frames never shown').first().isVisible()).toBe(true);
  await tab.keyboard.press('Escape');
  await tab.keyboard.press('i');
  expect(await tab.locator('#network').isVisible()).toBe(false);
  await tab.keyboard.press('f');
  while (!(await tab.evaluate('document.fullscreenElement !== null'))) await tab.evaluate('0');
  await tab.keyboard.press('f');
  await tab.keyboard.press('q');
  expect(ended).toBe(false);
  await tab.locator('#stop-now').click();
  while (!ended) await tab.evaluate('0');
});

inChromium('runs the lab with the settings that are shown, and links to its report', async () => {
  let scenarioText = '';
  const runScenario = async (scenario: string) => {
    scenarioText = readFileSync(scenario, 'utf8');
    return join(SAMPLES, 'README.md');
  };
  const tab = await tabAt(await opened('loss=3% delay=40ms', { runScenario }));
  await tab.locator('#lab').click();
  await tab.locator('#message').getByText('open the report').waitFor();
  // The report is shown over the page as well.
  await tab.frameLocator('#report-frame').getByText('Samples').first().waitFor();
  const scenario = parseScenario(scenarioText, 'from-the-page.json');
  expect(scenario.strategies).toEqual([{ strategy: 'reorder', onLoss: 'smear' }, 'hybrid', 'tcp-cubic']);
  expect(JSON.parse(scenarioText)).toMatchObject({ link: { forward: 'loss=3% delay=40ms' }, budgetsMs: [240] });
});

inChromium('shows the progress of the lab, says why it fails, and ends it on "Cancel"', async () => {
  const ended: number[] = [];
  const runs: { readonly progressed: (share: number) => void; readonly fail: (why: string) => void }[] = [];
  const runScenario: LaneServerOptions['runScenario'] = (_, __, closing, progressed) =>
    new Promise((_resolve, reject) => {
      runs.push({ progressed, fail: (why) => reject(new Error(why)) });
      closing.addEventListener('abort', () => reject(new Error('given up')));
      closing.addEventListener('abort', () => ended.push(runs.length));
    });
  const tab = await tabAt(await opened('delay=10ms', { runScenario }));
  const bar = tab.locator('#progress-bar');
  await tab.locator('#lab').click();
  while (runs.length < 1) await nextFrame(tab);
  runs[0]!.progressed(0.25);
  while ((await bar.getAttribute('value')) !== '0.25') await nextFrame(tab);
  runs[0]!.fail('the lab is out of memory');
  await tab.locator('#message').getByText('the lab is out of memory').waitFor();
  expect(await bar.isVisible()).toBe(false);

  await tab.locator('#lab').click();
  while (runs.length < 2) await nextFrame(tab);
  runs[1]!.progressed(0.5);
  while ((await bar.getAttribute('value')) !== '0.5') await nextFrame(tab);
  await tab.locator('#progress-cancel').click();
  await tab.locator('#message').getByText('The lab run is canceled.').waitFor();
  while (!ended.includes(2)) await nextFrame(tab);
});

inChromium(
  'plays the LTE trace, keeps it across a reload, passes it to the lab, and accepts no other file name',
  async () => {
    let scenarioText = '';
    const runScenario = async (scenario: string) => {
      scenarioText = readFileSync(scenario, 'utf8');
      return join(SAMPLES, 'README.md');
    };
    const preset = 'drive';
    const tab = await tabAt(await opened('delay=10ms', { runScenario }));
    await tab.locator('#preset').selectOption(preset);
    await untilPage(tab, ({ settings }) => settings?.link.includes('trace=lte-drive.down#') === true);
    await tab.reload();
    await untilPage(tab, ({ settings }) => settings?.link.includes('trace=lte-drive.down#') === true);
    expect(await tab.locator('#preset').inputValue()).toBe(preset);
    expect(await tab.locator('[name="rate"]').getAttribute('aria-valuetext')).toBe('from trace');
    await tab.locator('#lab').click();
    await tab.locator('#message').getByText('open the report').waitFor();
    await tab.locator('#report').waitFor();
    await tab.keyboard.press('Escape');
    expect(parseScenario(scenarioText, 'from-the-page.json', readReadyMadeTrace).link.forward).toContain(
      'trace=lte-drive.down#',
    );
    const line = tab.locator('#link');
    await line.fill('trace=../scenarios/lte-drive.json delay=10ms');
    await line.press('Enter');
    await tab.locator('#message').getByText('only traces of samples/traces can be used here').waitFor();
    expect((await pageState(tab)).settings?.link).toContain('trace=lte-drive.down#');
    // Setting a bandwidth replaces the trace.
    const rate = tab.locator('[name="rate"]');
    await rate.fill('3');
    await untilPage(tab, ({ settings }) => settings?.link.includes('rate=3000000bit') === true);
    expect((await pageState(tab)).settings?.link).not.toContain('trace=');
  },
);

inChromium('delays the frames of a lane by its new latency after a change', async () => {
  const tab = await tabAt(await opened('delay=10ms'));
  await untilPage(tab, ({ lanes }) => decided(lanes[1]?.figures) >= 30);
  const slider = tab.locator('.lane').nth(1).locator('.latency');
  await slider.fill('600');
  await slider.dispatchEvent('change');
  await untilPage(tab, ({ settings, lanes }) => {
    return settings?.lanes[1]?.latencyMs === 600 && (lanes[1]?.figures?.lagMsP50 ?? 0) > 600;
  });
  expect((await pageState(tab)).lanes[0]!.figures!.lagMsP50).toBeLessThan(220);
});

inChromium('does not mark a lane as late on account of the path delay', async () => {
  const tab = await tabAt(await opened('delay=800ms'));
  await untilPage(tab, ({ lanes }) => (lanes[1]?.lagMs ?? 0) > 900);
  await tab.locator('.lane').nth(1).locator('.verdict', { hasText: 'On time, whole' }).waitFor();
  expect((await pageState(tab)).lanes[1]!.figures!.framesLate).toBe(0);
});

inChromium('redraws a timeline once a second under reduced motion', async () => {
  const tab = await tabAt(await opened('delay=10ms'));
  await tab.emulateMedia({ reducedMotion: 'reduce' });
  await untilPage(tab, ({ lanes }) => decided(lanes[0]?.figures) >= 60);
  // Compared at each animation frame for 1.5 seconds.
  const changes = await tab.evaluate<number>(`new Promise((resolve) => {
      const timeline = document.querySelector('.timeline');
      const until = performance.now() + 1500;
      let [last, changes] = [timeline.toDataURL(), 0];
      requestAnimationFrame(function look() {
        const now = timeline.toDataURL();
        if (now !== last) changes++;
        last = now;
        if (performance.now() > until) resolve(changes);
        else requestAnimationFrame(look);
      });
    })`);
  expect(changes).toBeGreaterThan(0);
  expect(changes).toBeLessThanOrEqual(3);
});

inChromium('says that WebCodecs is missing in a browser without it', async () => {
  const show = await opened('delay=10ms');
  const tab = await browser.context.newPage();
  await tab.addInitScript('delete window.VideoDecoder');
  await tab.goto(show.url);
  await tab.getByText('This browser cannot decode the stream').waitFor();
});

inChromium('reconnects to a restarted server on the same port and adopts its clock', async () => {
  const first = await opened('delay=10ms');
  const tab = await tabAt(first);
  await untilPage(tab, ({ lanes }) => lanes.every(({ framesDrawn }) => framesDrawn >= 60));
  await first.close();
  const pagePort = Number(new URL(first.url).port);
  const before = (await pageState(tab)).lanes[1]!.framesDrawn;
  const second = await opened('delay=10ms', { pagePort });
  await untilPage(tab, ({ lanes }) => lanes.every(({ framesDrawn }) => framesDrawn > before));
  const drawn = (await pageState(tab)).lanes[1]!.framesDrawn;
  await untilPage(tab, ({ lanes }) => lanes[1]!.framesDrawn > drawn + 15);
  const { lanes } = await pageState(tab);
  expect(decided(lanes[1]!.figures)).toBeLessThanOrEqual(decided(second.summary.lanes[1]!.figures));
  expect(lanes[1]!.lagMs).toBeGreaterThan(100);
});
