import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { PageFolders } from '../../io/web-server/page-files.ts';
import { type Instant, instant, milliseconds, toMilliseconds } from '../../protocol/base/units.ts';
import { type LaneSettings, parseLanePicture, serializeLanePicture } from '../../protocol/page/lane-message.ts';
import { Lane } from '../../session/lanes/lane.ts';
import { parseLinkSpecification } from '../../sim/link/link-parse.ts';
import type { Recording } from '../../web/replay/recording.ts';
import { RunRecorder } from '../../web/replay/run-recorder.ts';
import { sharedPage } from '../../web/replay/shared-page.ts';
import { sampleUnits } from '../sample-units.ts';

const FRAME_MS = 1_000 / 30;
/** Frames between two announcements of figures. */
const FIGURES_EVERY = 8;

interface Running {
  readonly id: number;
  readonly settings: LaneSettings;
  readonly lane: Lane;
}

/**
 * Records lanes over a link, on a clock of their own: the same recording on any machine.
 * @param lanes settings of the lanes, of the first half and of the second one; those that are in both go on.
 */
export function recordedRun(text: string, lanes: readonly (readonly LaneSettings[])[], frames: number): Recording {
  const link = parseLinkSpecification(text);
  if (!link.ok) throw new Error(link.malformed);
  const recorder = new RunRecorder();
  let running: readonly Running[] = [];
  let begun = 0;
  const begin = (settings: LaneSettings, startsAt: Instant): Running => {
    const id = begun++;
    const lane = new Lane({
      settings,
      link: link.value,
      run: id,
      startsAt,
      onKeyFrameRequest: () => {},
      onPicture: ({ unit, frame, run, capturedAt }) => {
        const message = serializeLanePicture({
          lane: running.findIndex((other) => other.id === id),
          run,
          frame,
          key: unit.importance === 'key',
          decodeOnly: unit.decodeOnly === true,
          timestamp: unit.timestamp,
          capturedMs: toMilliseconds(capturedAt),
          parts: unit.parts,
        });
        const read = parseLanePicture(message);
        if (!read.ok) throw new Error(read.malformed);
        recorder.picture(read.value);
      },
    });
    return { id, settings, lane };
  };
  const ids = () => running.map(({ id }) => id);
  const source = 'counter.h264';
  const units = sampleUnits();
  recorder.announced({ kind: 'description', width: 640, height: 360, title: source, startedAtMs: 0 }, []);
  for (let frame = 0; frame < frames; frame++) {
    const at = instant(milliseconds(frame * FRAME_MS));
    const atMs = toMilliseconds(at);
    const wanted = lanes[Math.floor((frame / frames) * lanes.length)]!;
    if (running.some(({ settings }, index) => settings !== wanted[index]) || running.length !== wanted.length) {
      running = wanted.map((settings) => running.find((other) => other.settings === settings) ?? begin(settings, at));
      const state = { lanes: wanted, link: text, source, sources: [source] };
      recorder.announced({ kind: 'state', state }, ids());
    }
    for (const { lane } of running) lane.send(at, units[frame]!);
    recorder.announced({ kind: 'events', atMs, lanes: running.map(({ lane }) => lane.takeEvents()) }, ids());
    if (frame % FIGURES_EVERY > 0) continue;
    recorder.announced({ kind: 'figures', atMs, lanes: running.map(({ lane }) => lane.figures(at)) }, ids());
  }
  return recorder.recording()!;
}

/** Writes a recording as a shared page. @returns path of the file, which is removed after the test. */
export async function sharedFile(recording: Recording, { written, compiled }: PageFolders): Promise<string> {
  const script = readFileSync(join(compiled, 'page/web/lanes/replay-page.js'), 'utf8');
  const named = readFileSync(join(written, 'lanes.html'), 'utf8').matchAll(/href="\/web\/([\w-]+\.css)"/g);
  const styles = Array.from(named, ([, name]) => readFileSync(join(written, name!), 'utf8'));
  const folder = mkdtempSync(join(tmpdir(), 'dropframe-shared-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'run.html');
  writeFileSync(file, (await sharedPage(recording, { script, styles }, new Date(0))).join(''));
  return file;
}
