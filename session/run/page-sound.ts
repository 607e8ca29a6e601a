import type { Page } from '../../io/web-server/page-server.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { ticks } from '../../protocol/base/units.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import type { PageSound, PageSoundDescription } from '../../protocol/page/page-message.ts';
import type { SoundAnnouncement } from '../stream/client.ts';

/** Sends a unit of sound to a page. */
export function writePageSound(
  page: Pick<Page, 'writeSound'>,
  unit: AccessUnit,
  sound: SoundAnnouncement | undefined,
): void {
  for (const frame of pageSoundFrames(unit, sound)) page.writeSound(frame);
}

/** Yields the frames of a unit of sound, which follow each other, for a page. */
export function* pageSoundFrames(
  { parts, timestamp }: AccessUnit,
  sound: Pick<SoundAnnouncement, 'codecName' | 'parameterSets'> | undefined,
): Generator<Omit<PageSound, 'number'>> {
  const traits = sound && codecByName(sound.codecName).sound;
  const sets = sound?.parameterSets ?? [];
  let at: number = timestamp;
  for (const payload of parts) {
    const duration = traits?.durationOf([payload], sets) ?? 0;
    if (duration <= 0) continue;
    yield { timestamp: ticks(Math.round(at)), durationMs: duration / 90, payload };
    at += duration;
  }
}

/** Describes sound for a page; `undefined` without sound, or where its configuration cannot be read. */
export function pageSound(
  sound: Pick<SoundAnnouncement, 'codecName' | 'parameterSets'> | undefined,
): PageSoundDescription | undefined {
  if (!sound) return undefined;
  const described = codecByName(sound.codecName).sound?.describe(sound.parameterSets);
  if (!described) return undefined;
  const { decoder: codec, sampleRate, channels } = described;
  // WebCodecs reads Opus packets without a header, and AAC with its AudioSpecificConfig.
  const configuration = codec === 'opus' ? undefined : sound.parameterSets[0];
  return { codec, sampleRate, channels, ...(configuration && { configuration: [...configuration] }) };
}
