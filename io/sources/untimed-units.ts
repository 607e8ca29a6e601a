import type { AccessUnit } from '../../protocol/access-unit.ts';
import type { Codec } from '../../protocol/codec/codec.ts';
import type { CodedPicture } from '../../protocol/codec/nal/coded-picture.ts';
import { Timeline } from '../../protocol/codec/nal/timeline.ts';
import { nalStreamOf } from '../../protocol/codec/nal-streams.ts';
import type { EntryGate } from './entry-gate.ts';

/** Search limit for the first key frame, bytes: 256 MiB, nine minutes at 4 Mb/s. */
const SEARCH_BYTES = 256 * 1024 * 1024;

/**
 * Yields the access units of a stream without timestamps from the first one at which decoding can start. Times follow from
 * picture order and frame rate; missing parameter sets are added to each key frame.
 * @param stream.codec one whose parts are NAL units.
 * @param stream.framesPerSecond used when the stream does not state a rate.
 */
export async function* untimedUnits(
  parts: AsyncIterable<readonly Uint8Array[]>,
  gate: EntryGate,
  { codec, framesPerSecond }: { readonly codec: Codec; readonly framesPerSecond: number },
): AsyncGenerator<AccessUnit> {
  const splitter = nalStreamOf(codec).splitPictures();
  const timeline = new Timeline({ framesPerSecond });
  const sets = codec.trackParameterSets();
  const admitted = (picture: CodedPicture | undefined): AccessUnit[] => {
    if (picture === undefined || !gate.admits(picture)) return [];
    const completed = codec.withParameterSets(picture.parts, sets.sets(), picture.importance === 'key');
    return timeline.push({ ...picture, parts: completed });
  };
  let bytesRead = 0;
  for await (const several of parts) {
    for (const nalUnit of several) {
      bytesRead += nalUnit.length;
      const picture = splitter.push(nalUnit);
      // `sets` are still those of the picture before this NAL unit.
      yield* admitted(picture);
      sets.add(nalUnit);
    }
    if (!gate.isOpen && bytesRead > SEARCH_BYTES) return;
  }
  yield* admitted(splitter.flush());
  yield* timeline.flush();
}
