import { EncodedPacketSink, type InputAudioTrack } from 'mediabunny';
import type { Mp4Structure } from '../mp4/mp4-structure.ts';
import type { SoundFormatOfTrack } from './sound-track.ts';

/** Packets at equal distances that are compared with the first one: all of them would take a pass over the file. */
const SAMPLES = 16;

/**
 * Returns true when the parameters of a track change: in MP4, when it has several sample entries; where each packet
 * describes itself (ADTS), when one of those looked at differs. A change between two of these is found while reading.
 */
export async function isVarying(
  structure: Mp4Structure | undefined,
  track: InputAudioTrack,
  { isOther }: Pick<SoundFormatOfTrack, 'isOther'>,
): Promise<boolean> {
  if (structure && structure.configurations.length > 1) return true;
  if (!isOther) return false;
  const sink = new EncodedPacketSink(track);
  const [from, to] = [await track.getFirstTimestamp(), await track.computeDuration()];
  for (let sample = 1; sample <= SAMPLES; sample += 1) {
    const packet = await sink.getPacket(from + ((to - from) * sample) / SAMPLES);
    if (packet && isOther(packet.data)) return true;
  }
  return false;
}
