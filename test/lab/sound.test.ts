import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { askTable } from '../../cli/ask-table.ts';
import { ask, openQuestion } from '../../lab/ask/ask.ts';
import { readQuestion } from '../../lab/ask/question.ts';
import { type Cell, canonicalLink } from '../../lab/cell.ts';
import { type CellSource, labelOf, NO_FILES } from '../../lab/cell-source.ts';
import { datagramKind } from '../../lab/datagram-kind.ts';
import { FrameTable } from '../../lab/frame-table.ts';
import { PacketLog } from '../../lab/packet-log.ts';
import { soundPlot } from '../../lab/report/frontier-plot.ts';
import { operatingPoints } from '../../lab/report/operating-point.ts';
import { soundOf } from '../../lab/report/sound-point.ts';
import { runCell } from '../../lab/run-cell.ts';
import { runScenario } from '../../lab/run-scenario.ts';
import { parseScenario, type ScenarioInput } from '../../lab/scenario.ts';
import { syncErrors } from '../../lab/sound/sync-error.ts';
import { SIMULATED_STRATEGIES, type SimulatedStrategyName } from '../../lab/strategies.ts';
import { FRAME_OUTCOMES } from '../../lab/tables.ts';
import { SyntheticSound, syntheticUnitTicks } from '../../sim/synthetic-sound.ts';

const root = mkdtempSync(join(tmpdir(), 'dropframe-sound-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const SECONDS = 20;
const SOURCE: CellSource = {
  ...{ kind: 'synthetic', fps: 30, kbps: 600, keyInterval: 30, keyFrameRatio: 4, frames: SECONDS * 30 },
  sound: { kind: 'synthetic', codec: 'opus', kbps: 96, units: SECONDS * 50 },
};

const cell = (strategy: SimulatedStrategyName, link: string, more: Partial<Cell> = {}): Cell => ({
  ...{ strategy, parameters: {}, source: SOURCE, budgetMs: 180, warmUpSeconds: 1, release: 'deadline', seed: 3 },
  forward: canonicalLink(link, 3),
  back: canonicalLink('delay=30ms', 3),
  ...more,
});
const LOSSY = 'loss=5% burst=2 delay=30ms';

describe('a cell with sound', () => {
  test.each(SIMULATED_STRATEGIES)('over %s has each unit in one class, and the same row again', (strategy) => {
    const run = () => runCell(cell(strategy, LOSSY), NO_FILES);
    const { sound, row } = run();
    const classes = FRAME_OUTCOMES.map(
      (name) => sound![`sound${name[0]!.toUpperCase()}${name.slice(1)}` as 'soundLate']!,
    );
    expect(sound!.soundUnits).toBe((SECONDS - 1) * 50);
    expect(classes.reduce((sum, count) => sum + count)).toBe(sound!.soundUnits);
    expect(sound!.sumUnits).toBe(row.frames + sound!.soundUnits!);
    expect(sound!.sumInTime! - row.framesInTime).toBe(sound!.soundOnTime! + sound!.soundRecovered!);
    expect(sound!.soundConcealedMs).toBeCloseTo(
      20 * (sound!.soundUnits! - sound!.soundOnTime! - sound!.soundRecovered!),
    );
    expect(run()).toMatchObject({ row, sound });
  });

  test('plays all of it in step with the pictures over a clean path', () => {
    const { sound, row } = runCell(cell('hybrid', 'delay=30ms'), NO_FILES);
    expect(sound).toMatchObject({ soundConcealedRatio: 0, soundGaps: 0, syncUsP99: 0, soundProtection: 0 });
    expect(row.framesInTime).toBe(row.frames);
  });

  test('loses what a path loses without recovery, in gaps as long as its bursts', () => {
    const { sound } = runCell(cell('none', LOSSY), NO_FILES);
    expect(sound!.soundConcealedRatio).toBeGreaterThan(0.02);
    expect(sound!.soundConcealedRatio).toBeLessThan(0.1);
    expect(sound!.soundNeverArrived).toBe(sound!.soundPacketsLost);
    expect(sound!.soundGapMsMax).toBeGreaterThanOrEqual(40);
    expect(sound!.soundConcealedMs! / sound!.soundGaps!).toBeCloseTo(sound!.soundGapMsMean!);
  });

  test('counts each datagram of the path in one stream', () => {
    const log = new PacketLog(datagramKind('hybrid'));
    const { sound, row, datagrams } = runCell(cell('hybrid', LOSSY, { warmUpSeconds: 0 }), NO_FILES, [log]);
    const forward = log.records.filter(({ direction }) => direction === 'forward');
    const count = (...kinds: readonly string[]) => forward.filter(({ kind }) => kinds.includes(kind)).length;
    const bytes = (...kinds: readonly string[]) =>
      forward.filter(({ kind }) => kinds.includes(kind)).reduce((sum, record) => sum + record.bytes, 0);
    expect(log.records).toHaveLength(datagrams);
    expect(count('foreign')).toBe(0);
    expect(count('media')).toBe(row.packetsSent);
    expect(count('sound')).toBe(sound!.soundPacketsSent);
    expect(count('media', 'sound')).toBe(sound!.sumPacketsSent);
    expect(bytes('sound-retransmission')).toBe(sound!.soundBytesRetransmission);
    expect(bytes('sound-repair')).toBe(sound!.soundBytesRepair);
    expect(bytes('repair', 'sound-repair')).toBe(sound!.sumBytesRepair);
    expect(bytes('retransmission', 'sound-retransmission')).toBe(sound!.sumBytesRetransmission);
    expect(forward.length).toBe(row.datagramsForward);
  });

  test('counts overhead over both streams', () => {
    const silent = { ...SOURCE, sound: undefined };
    const { sound: _, ...pictures } = silent;
    const alone = runCell(cell('none', 'delay=30ms', { source: pictures }), NO_FILES).row;
    const { row, sound } = runCell(cell('none', 'delay=30ms'), NO_FILES);
    expect(row.bytesSource).toBe(alone.bytesSource);
    expect(row.overheadForward).toBeCloseTo(row.bytesForward / sound!.sumBytesSource! - 1);
    expect(labelOf(SOURCE)).toBe(`${labelOf(pictures)} + opus 96kbps`);
  });

  test('gives up sound over TCP by its age, and pictures up to the next key frame all the same', () => {
    const slow = 'rate=500kbit queue=400ms delay=30ms';
    const parameters = { unsentBytesMax: 4_096, giveUpMs: 200 };
    const { sound, row } = runCell(cell('tcp-cubic', slow, { parameters }), NO_FILES);
    expect(row.framesRefused).toBeGreaterThan(100);
    expect(sound!.soundRefused).toBeGreaterThan(0);
    expect(sound!.soundRefused! / sound!.soundUnits!).toBeLessThan(row.framesRefused / row.frames);
    expect(sound!.soundPacketsSent).toBeNull();
  });
});

test('the sync error is the difference of the lags of the picture and of the sound heard with it', () => {
  const shown = (capturedAt: number, renderedAt: number) => ({ capturedAt, completeAt: renderedAt, renderedAt });
  const pictures = FrameTable.of([shown(0, 100), shown(40, 140), { capturedAt: 80 }, shown(120, 260)]);
  const sound = FrameTable.of([shown(0, 110), shown(20, 130), { capturedAt: 40 }, shown(60, 190)]);
  // Nothing is heard with the first picture; the second comes with a lag of 110, the last with 130.
  expect([...syncErrors(pictures, sound, { pictures: 0, sound: 0 })]).toEqual([10, 10]);
});

test.each([
  ['opus', 96_000, 1_800],
  ['aac', 128_000, 1_920],
] as const)('synthetic %s has the rate that was asked for, and sizes that vary', (codec, bitrate, unitTicks) => {
  const stream = new SyntheticSound({ codec, bitrate, units: 5_000, seed: 1 });
  const units = Array.from({ length: 5_000 }, () => stream.next()!);
  const bytes = units.map(({ parts }) => parts[0]!.length);
  const mean = bytes.reduce((sum, each) => sum + each) / bytes.length;
  expect(mean / ((bitrate * unitTicks) / 720_000)).toBeCloseTo(1, 2);
  expect(Math.max(...bytes)).toBeGreaterThan(1.05 * mean);
  expect(units.map(({ timestamp }) => timestamp).slice(0, 3)).toEqual([0, unitTicks, 2 * unitTicks]);
  expect(syntheticUnitTicks(codec)).toBe(unitTicks);
  expect(stream.next()).toBeUndefined();
});

describe('a scenario with sound', () => {
  const scenario = (changes: object = {}, sound: unknown = 'opus'): ScenarioInput =>
    ({
      name: 'heard',
      question: 'Is it heard?',
      source: { synthetic: { kbps: 300, seconds: 4, sound } },
      link: { forward: 'loss=5% delay=10ms' },
      strategies: ['hybrid'],
      budgetsMs: [60],
      ...changes,
    }) as ScenarioInput;
  const mistakeOf = (input: ScenarioInput) => {
    try {
      parseScenario(JSON.stringify(input), 'heard.json');
    } catch (error) {
      return (error as Error).message;
    }
    return '';
  };

  test('has a cell for each sound, and rows with its columns', async () => {
    const { rows } = await runScenario(scenario({}, ['opus', { codec: 'aac', kbps: 64 }]));
    expect(rows.map(({ sound, soundUnits }) => [sound, soundUnits])).toEqual([
      ['opus 96kbps', 200],
      ['aac 64kbps', 188],
    ]);
    const silent = await runScenario(scenario({ source: { synthetic: { kbps: 300, seconds: 4 } } }));
    expect(Object.keys(silent.rows[0]!).filter((name) => /^s(ound|ync|um)/.test(name))).toEqual([]);
  });

  test('says what sound cannot be combined with', () => {
    expect(mistakeOf(scenario({}, 'mp3'))).toMatch(/source\.synthetic\.sound.*'mp3'.*opus/s);
    expect(mistakeOf(scenario({}, { codec: 'opus', kbps: 1 }))).toMatch(/kbps: expected kilobits per second from 6/);
    expect(mistakeOf(scenario({ flows: [{ strategy: 'tcp-bbr' }] }))).toMatch(
      /source\.sound: flows carry pictures only/,
    );
    expect(mistakeOf(scenario({ strategies: ['udp-kernel-nack'] }))).toMatch(/source\.sound: udp-kernel-nack carries/);
    expect(mistakeOf(scenario({ strategies: ['tambur'] }))).toMatch(/source\.sound: tambur protects pictures only/);
  });

  test('takes the sound of a file, and says where there is none', async () => {
    const folder = join(import.meta.dirname, '../../samples');
    const file = (name: string, sound: boolean) => scenario({ source: { file: name, seconds: 3, sound } });
    const { rows } = await runScenario(file('city.mp4', true), { folder });
    expect(rows[0]!.sound).toMatch(/^aac \d+kbps$/);
    expect(rows[0]!.soundUnits).toBeGreaterThan(120);
    expect(rows[0]!.syncUsP99).toBeLessThan(20_000);
    await expect(runScenario(file('counter.mp4', true), { folder })).rejects.toThrow('has no sound beside');
  });
});

test('a question may ask for sound, and its table has a line for it', async () => {
  const words = ['loss=4%', 'budget=120', 'kbps=300', 'seconds=6', 'sound=opus'];
  const options = { until: 0.05, seedsMax: 5, out: join(root, 'asked'), warn: () => {} };
  const result = await ask(await openQuestion(readQuestion('hybrid none', words), options), {
    ...{ jobs: 0, fresh: false, signal: new AbortController().signal, version: 'test' },
    onProgress: () => {},
    onLook: () => {},
  });
  const [hybrid, none] = result!.cells;
  expect(hybrid!.soundInTime!.value).toBeGreaterThan(none!.soundInTime!.value);
  expect(askTable(result!.cells, 100)).toMatch(/hybrid sound +\d/);
  expect(readFileSync(join(root, 'asked/asked.csv'), 'utf8')).toContain('soundInTime,soundLow,soundHigh');
  const summary = readFileSync(join(root, 'asked/summary.csv'), 'utf8').split('\n')[0]!.split(',');
  expect(summary.slice(-34)[0]).toBe('sound');
  const points = operatingPoints(result!.rows);
  expect(soundOf(points[0]!)!.share.value).toBeCloseTo(1 - hybrid!.soundInTime!.value);
  expect(soundPlot(points)!.rows).toHaveLength(2);
  expect(() => readQuestion('hybrid', ['sound=mp3'])).toThrow("sound: 'mp3'");
});
