import { equalLists } from '../../protocol/base/equal-bytes.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import type { SoundAnnouncement, StreamAnnouncement } from '../stream/client.ts';

/**
 * Returns what a decoder cannot follow from one stream to the next, as a clause: `hvc1.1.6.L30.90 instead of
 * avc1.64001e`. `undefined` when it can: the size of pictures may change.
 */
export function streamChange(before: StreamAnnouncement, after: StreamAnnouncement): string | undefined {
  const changes: string[] = [];
  const [now, then] = [after.media, before.media];
  if (before.codecName !== after.codecName) changes.push(`${now.codec} instead of ${then.codec}`);
  else if (announcesSoundAlone(after)) addSoundChange(soundAlone(before), soundAlone(after), changes);
  const [turned, turnedBefore] = [now.rotation ?? 0, then.rotation ?? 0];
  if (turned !== turnedBefore) changes.push(`pictures rotated by ${turned}° instead of ${turnedBefore}°`);
  addSoundChange(before.sound, after.sound, changes);
  return changes.length === 0 ? undefined : changes.join(', ');
}

function addSoundChange(
  before: SoundAnnouncement | undefined,
  after: SoundAnnouncement | undefined,
  changes: string[],
): void {
  if (before?.codecName === after?.codecName && equalLists(setsOf(before), setsOf(after))) return;
  // Its format is named where the codec is the same.
  const isDetailed = before?.decoder === after?.decoder;
  const [then, now] = [soundText(before, isDetailed), soundText(after, isDetailed)];
  changes.push(now === then ? 'another configuration of its sound' : `sound ${now} instead of ${then}`);
}

const setsOf = (sound: SoundAnnouncement | undefined): readonly Uint8Array[] => sound?.parameterSets ?? [];

function soundText(sound: SoundAnnouncement | undefined, isDetailed: boolean): string {
  if (!sound) return 'none';
  const format = isDetailed && codecByName(sound.codecName).sound?.describe(sound.parameterSets);
  if (!format) return sound.decoder;
  const { sampleRate, channels } = format;
  return `${sound.decoder} of ${sampleRate} Hz and ${channels} ${channels === 1 ? 'channel' : 'channels'}`;
}

/** True for a stream without pictures: its units are those of the sound. */
export const announcesSoundAlone = ({ codecName }: StreamAnnouncement): boolean =>
  codecByName(codecName).mediaType === 'audio';

/** The sound of a stream of sound alone. */
export const soundAlone = ({ codecName, media, parameterSets }: StreamAnnouncement): SoundAnnouncement => ({
  codecName,
  decoder: media.codec,
  parameterSets,
});
