import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MEND_MS_MAX } from '../../../protocol/control/latency-limit.ts';
import { receive, serve } from '../../../session/index.ts';
import { temporaryFolder } from '../../io/sources/media.ts';
import { sampleUnits } from '../../sample-units.ts';

const SAMPLE = 'samples/counter.h264';

test('a recording is whole although its viewer is shown damage, and the viewer is shown all that decodes', async () => {
  const service = await serve(SAMPLE);
  const output = join(temporaryFolder(), 'smeared.h264');
  const shown: number[] = [];
  const reception = receive(service.url, {
    // An answer takes longer than a frame may: what is lost can only be mended.
    latencyMs: 40,
    // Longer than a busy machine stalls.
    mendMs: MEND_MS_MAX,
    link: 'loss=4% burst=3 delay=30ms seed=3',
    onLoss: 'smear',
    output,
    onFrame: (unit) => shown.push(unit.timestamp),
  });
  const { frames, recordedFrames } = await reception.ended;
  await service.close();
  const sent = sampleUnits(SAMPLE);
  const recorded = sampleUnits(output);
  expect(recorded.map(({ parts }) => parts)).toEqual(sent.map(({ parts }) => parts));
  expect(recordedFrames).toBe(sent.length);
  expect(frames.mended).toBe(0);
  expect(frames.incomplete + frames.neverArrived + frames.overdue).toBeGreaterThan(0);
  expect(shown).toHaveLength(frames.onTime + frames.recovered + frames.late);
});
