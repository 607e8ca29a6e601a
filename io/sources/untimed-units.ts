import type { AccessUnit } from '../../protocol/access-unit.ts';
import { AccessUnitSplitter, type CodedPicture } from '../../protocol/codec/h264/access-unit-splitter.ts';
import { ParameterSetTracker, withParameterSets } from '../../protocol/codec/h264/parameter-sets.ts';
import { Timeline } from '../../protocol/codec/h264/timeline.ts';
import type { EntryGate } from './entry-gate.ts';

/** A stream without a keyframe in its first 256 MiB (nine minutes at 4 Mb/s) is not searched to its end. */
const SEARCH_BYTES = 256 * 1024 * 1024;

/**
 * The access units of H.264 without timestamps, from the first one at which decoding can start. The times come from
 * the picture order and the frame rate; each keyframe gets the parameter sets that it lacks.
 *
 * @param framesPerSecond where the stream does not say.
 */
export async function* untimedUnits(
  nalUnits: AsyncIterable<readonly Uint8Array[]>,
  gate: EntryGate,
  framesPerSecond: number,
): AsyncGenerator<AccessUnit> {
  const splitter = new AccessUnitSplitter();
  const timeline = new Timeline({ framesPerSecond });
  const sets = new ParameterSetTracker();
  const admitted = (picture: CodedPicture | undefined): AccessUnit[] => {
    if (picture === undefined || !gate.admits(picture)) return [];
    const completed = withParameterSets(picture.parts, sets.sets(), picture.importance === 'key');
    return timeline.push({ ...picture, parts: completed });
  };
  let bytesRead = 0;
  for await (const several of nalUnits) {
    for (const nalUnit of several) {
      bytesRead += nalUnit.length;
      const picture = splitter.push(nalUnit);
      // `sets` is still what the picture before this NAL unit goes by.
      yield* admitted(picture);
      sets.add(nalUnit);
    }
    if (!gate.isOpen && bytesRead > SEARCH_BYTES) return;
  }
  yield* admitted(splitter.flush());
  yield* timeline.flush();
}
