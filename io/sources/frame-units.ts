import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Ticks, ticks } from '../../protocol/base/units.ts';
import type { FrameStreamFormat } from '../../protocol/codec/frame-streams.ts';
import type { CodedPicture } from '../../protocol/codec/nal/coded-picture.ts';
import type { EntryGate } from './entry-gate.ts';
import type { SampleTrack } from './sample-units.ts';

/**
 * Yields the access units of a track whose samples are access units in the order in which they are shown, from the first
 * key frame on, which is at 0, or where the track keeps its start, at its own time.
 */
export async function* frameUnits(
  track: SampleTrack,
  format: FrameStreamFormat,
  gate: EntryGate,
): AsyncGenerator<AccessUnit> {
  const importanceOf = format.trackImportance();
  let epoch: Ticks | undefined;
  let last = ticks(Number.NEGATIVE_INFINITY);
  for await (const { parts: own, timestamp: at, decodeOnly } of track.samples) {
    if (own.length === 0) continue;
    const importance = importanceOf(own);
    const parts = track.codec.withParameterSets(own, track.parameterSets, importance === 'key');
    if (!gate.admits(pictureOf(parts, importance))) continue;
    if (decodeOnly === true && importance === 'discardable') continue;
    epoch ??= ticks(track.keepsStart === true ? 0 : at);
    gate.startsAt ??= epoch;
    // Two frames of one time stay in order.
    const timestamp = ticks(Math.max(at - epoch, last));
    last = timestamp;
    yield { parts, timestamp, decodeTimestamp: timestamp, importance, ...(decodeOnly === true && { decodeOnly }) };
  }
}

/** A frame as the gate sees it: a key frame has all that decoding needs. */
const pictureOf = (parts: readonly Uint8Array[], importance: CodedPicture['importance']): CodedPicture => ({
  ...{ parts, importance, pictureOrder: undefined, startsSequence: importance === 'key', field: 'frame' },
  sequenceParameterSet: { framesOnly: true, framesPerSecond: undefined, reorderFrames: 0 },
  ...{ reorderFramesMax: 0, refersBeforeEntry: false },
});
