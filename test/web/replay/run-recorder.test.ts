import { expect, test } from 'vitest';
import { ticks } from '../../../protocol/base/units.ts';
import type { LaneEvents, LaneFigures, LaneSettings, LanesState } from '../../../protocol/page/lane-message.ts';
import { ReplayedRun } from '../../../web/replay/replayed-run.ts';
import { RunRecorder } from '../../../web/replay/run-recorder.ts';

const FRAME_MS = 100;
/** Frames between two key frames. */
const GROUP = 10;
const UDP: LaneSettings = {
  transport: 'udp',
  recovery: 'hybrid',
  congestionControl: 'cubic',
  latencyMs: 200,
  onLoss: 'freeze',
};
const TCP: LaneSettings = { ...UDP, transport: 'tcp' };

const state = (lanes: readonly LaneSettings[], link = 'delay=30ms'): LanesState => ({
  lanes,
  link,
  source: 'counter.h264',
  sources: ['counter.h264'],
});

const figures = (run: number, framesShown: number): LaneFigures => ({
  run,
  seconds: framesShown / 10,
  framesOnTime: framesShown,
  framesRecovered: 0,
  framesLate: 0,
  framesMended: 0,
  framesLost: 0,
  framesShown,
  framesDamaged: 0,
  packets: framesShown,
  packetsLost: 0,
  packetsAgain: 0,
  packetsRepair: 0,
  lagMsP50: 200,
  lagMsP95: 200,
  freezes: 0,
  mediaBytes: 1,
  pathBytes: 1,
  overhead: 0,
  stalledForMs: 0,
});

/** A frame with one packet, captured 230 ms before it is shown. */
const shown = (run: number, frame: number, atMs: number): LaneEvents => ({
  run,
  sent: [[frame, 0, frame, atMs - 230, 0]],
  lost: [],
  arrived: [[frame, atMs - 200, 0]],
  freed: [],
  sounds: [],
  frames: [[frame, atMs - 230, atMs - 200, atMs, 0, -1, -1]],
});

interface Fed {
  readonly recorder: RunRecorder;
  /** Runs of the lanes, in their order. */
  readonly runs: readonly number[];
}

/** Feeds frames `from` to `until` (excluded) of all lanes, each shown at its number times 100 ms. */
function feed({ recorder, runs }: Fed, from: number, until: number, isReceived = (_: number) => true): void {
  for (let frame = from; frame < until; frame++) {
    const atMs = frame * FRAME_MS;
    for (const [lane, run] of runs.entries()) {
      const data = Uint8Array.of(frame & 255, frame >> 8, 7);
      const [key, timestamp] = [frame % GROUP === 0, ticks(frame * 9_000)];
      if (isReceived(frame)) recorder.picture({ lane, run, frame, key, timestamp, capturedMs: atMs - 230, data });
    }
    recorder.announced({ kind: 'events', atMs, lanes: runs.map((run) => shown(run, frame, atMs)) }, IDS);
    recorder.announced({ kind: 'figures', atMs, lanes: runs.map((run) => figures(run, frame + 1)) }, IDS);
  }
}

const IDS = [0, 1, 2, 3];

function began(lanes: readonly LaneSettings[], bytesMax?: number): Fed {
  const recorder = new RunRecorder(bytesMax);
  recorder.announced(
    { kind: 'description', width: 640, height: 360, title: 'counter', startedAtMs: 0, command: 'npm start' },
    [],
  );
  recorder.announced({ kind: 'state', state: state(lanes) }, IDS.slice(0, lanes.length));
  return { recorder, runs: lanes.map((_, index) => index) };
}

const replayed = ({ recorder }: Fed, lane: number, run = 0): ReplayedRun => {
  const { record, media } = recorder.recording()!;
  return new ReplayedRun(record.lanes[lane]!.runs[run]!, media, record.links);
};

test('has nothing before the first events', () => {
  expect(began([UDP]).recorder.recording()).toBeUndefined();
});

test('keeps the last half minute, from the key frame before it, and each picture of several lanes once', () => {
  const fed = began([UDP, TCP]);
  feed(fed, 0, 605);
  const { record, media } = fed.recorder.recording()!;
  expect([record.fromMs, record.untilMs]).toEqual([30_400, 60_400]);
  for (const { runs } of record.lanes) {
    expect(runs[0]!.pictures[0]!.slice(0, 2)).toEqual([300, 1]);
    expect(runs[0]!.pictures.at(-1)![0]).toBe(604);
    expect(runs[0]!.events.frames[0]![0]).toBe(304);
  }
  expect(media.length).toBe(305 * 3);
  const [frame, , , offset, bytes] = record.lanes[1]!.runs[0]!.pictures.at(-1)!;
  expect([...media.subarray(offset, offset + bytes)]).toEqual([frame & 255, frame >> 8, 7]);
});

test('a recording that would be too large begins later, at a key frame', () => {
  const fed = began([UDP], 300);
  feed(fed, 0, 200);
  const { record, media } = fed.recorder.recording()!;
  expect(media.length).toBeLessThanOrEqual(300);
  const [first] = record.lanes[0]!.runs[0]!.pictures;
  expect(first!.slice(0, 2)).toEqual([100, 1]);
  expect(record.fromMs).toBe(9_900);
});

test('tells which picture is on the screen, and how far it is behind live', () => {
  const fed = began([UDP]);
  feed(fed, 0, 50);
  const run = replayed(fed, 0);
  const at = run.pictureAt(2_050)!;
  expect(run.pictures[at]).toMatchObject({ frame: 20, key: true, shownMs: 2_000 });
  expect(run.behindAt(2_050)).toBe(230);
  expect(run.standingAt(4_000)?.taught.verdict.words).toBe('On time, whole');
  expect(run.pictureAt(-1)).toBe(-1);
});

test('does not show another picture in place of one that the window has not received', () => {
  const fed = began([UDP]);
  feed(fed, 0, 50, (frame) => frame < 22 || frame > 25);
  const run = replayed(fed, 0);
  expect(run.pictures[run.pictureAt(2_150)!]?.frame).toBe(21);
  // Missing, and built on what is missing, up to the next key frame.
  expect(run.pictureAt(2_250)).toBeUndefined();
  expect(run.pictureAt(2_950)).toBeUndefined();
  expect(run.pictures[run.pictureAt(3_050)!]?.frame).toBe(30);
});

test('takes a picture that the window is sent again once', () => {
  const fed = began([UDP]);
  feed(fed, 0, 30);
  const before = fed.recorder.recording()!.media.length;
  const again = { lane: 0, run: 0, frame: 25, key: false, timestamp: ticks(25 * 9_000), capturedMs: 0 };
  fed.recorder.picture({ ...again, decodeOnly: true, data: Uint8Array.of(25, 0, 7) });
  expect(fed.recorder.recording()!.media.length).toBe(before);
  expect(fed.recorder.recording()!.record.lanes[0]!.runs[0]!.pictures).toHaveLength(30);
});

test('a lane with new settings is another run, and one that is removed ends', () => {
  const fed = began([UDP, TCP]);
  feed(fed, 0, 50);
  fed.recorder.announced({ kind: 'state', state: state([{ ...UDP, latencyMs: 400 }], 'delay=60ms') }, [0]);
  feed({ ...fed, runs: [7] }, 50, 100);
  const { record } = fed.recorder.recording()!;
  expect(record.links).toEqual([
    { fromMs: 0, link: 'delay=30ms' },
    { fromMs: 4_900, link: 'delay=60ms' },
  ]);
  const [first, second] = record.lanes;
  expect(first!.runs.map(({ run, settings, untilMs }) => [run, settings.latencyMs, untilMs])).toEqual([
    [0, 200, 4_900],
    [7, 400, 9_900],
  ]);
  expect(second!.runs.map(({ untilMs }) => untilMs)).toEqual([4_900]);
  feed({ ...fed, runs: [7] }, 100, 400);
  expect(fed.recorder.recording()!.record.lanes.map(({ id, runs }) => [id, runs.length])).toEqual([[0, 1]]);
});

test('begins again with a new connection', () => {
  const fed = began([UDP]);
  feed(fed, 0, 50);
  fed.recorder.forget();
  expect(fed.recorder.recording()).toBeUndefined();
  fed.recorder.announced({ kind: 'state', state: state([UDP]) }, IDS);
  feed(fed, 0, 5);
  expect(fed.recorder.recording()!.media.length).toBe(15);
});
