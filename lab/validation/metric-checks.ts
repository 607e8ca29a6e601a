import { type Instant, instant, later, milliseconds } from '../../protocol/base/units.ts';
import { type Freezes, libwebrtcFreezes, tamburFreezes, w3cFreezes, w3cPauses } from '../metrics/freeze.ts';
import { type Check, check, EQUAL } from './check.ts';
import { exactly } from './estimate.ts';

/** Freeze definitions, on sequences that distinguish them. */

const DEFINITIONS = { w3c: w3cFreezes, pause: w3cPauses, libwebrtc: libwebrtcFreezes, tambur: tamburFreezes } as const;

type Definition = keyof typeof DEFINITIONS;

/** Frame times at 25 frames per second with one gap. */
function withGap(before: number, gapMs: number): Instant[] {
  const instants = Array.from({ length: before + 1 }, (_, frame) => instant(milliseconds(frame * 40)));
  const at = later(instants.at(-1)!, milliseconds(gapMs));
  return [...instants, at, later(at, milliseconds(40))];
}

function freezes(definition: Definition, before: number, gapMs: number, predicted: number): Check {
  const count: (renderedAt: readonly Instant[]) => Freezes = DEFINITIONS[definition];
  return check(
    'metrics',
    'freezes',
    { definition, intervals_before: before, gap_ms: gapMs },
    {
      predicted,
      agreement: EQUAL,
      trials: 1,
      simulate: () => exactly(count(withGap(before, gapMs)).count),
    },
  );
}

export const METRIC_CHECKS: readonly Check[] = [
  // Threshold max(3·40, 40 + 150); libwebrtc includes the gap in its mean: (29·40 + 195)/30 = 45.
  freezes('w3c', 40, 189.999, 0),
  freezes('w3c', 40, 190, 1),
  freezes('tambur', 40, 190, 0),
  freezes('tambur', 40, 190.001, 1),
  freezes('libwebrtc', 40, 194, 0),
  freezes('libwebrtc', 40, 195, 1),
  // Number of durations that each definition needs.
  freezes('w3c', 1, 900, 1),
  freezes('libwebrtc', 3, 900, 0),
  freezes('libwebrtc', 4, 900, 1),
  freezes('tambur', 29, 900, 0),
  freezes('tambur', 30, 900, 1),
  // More than five seconds is a pause, and no freeze for libwebrtc.
  freezes('pause', 40, 5_000, 0),
  freezes('pause', 40, 5_001, 1),
  freezes('w3c', 40, 5_001, 1),
  freezes('libwebrtc', 40, 5_001, 0),
];
