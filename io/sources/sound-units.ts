import { EncodedPacketSink, type InputAudioTrack } from 'mediabunny';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { CLOCK_RATE, type Ticks, ticks } from '../../protocol/base/units.ts';
import { SOUND_BEFORE_MAX } from '../../protocol/codec/sound/sound-units.ts';
import { editedPackets } from './edited-packets.ts';
import type { SoundFormatOfTrack } from './sound-track.ts';

/** How a track is read. */
export interface SoundReading {
  /** Time of the container that becomes 0, 90 kHz: usually that of the first picture. */
  readonly startsAt: Ticks;
  /** Begins at the packet before `startsAt` instead of the first one; default false. */
  readonly seeks?: boolean;
  /** Counted as they occur. */
  readonly losses: SoundLosses;
}

type SoundUnitFormat = Pick<SoundFormatOfTrack, 'unitOf' | 'isOther' | 'delay' | 'timeScale' | 'edits'>;

/** Counts of what was left out of a track. */
export interface SoundLosses {
  /** Packets whose times run backwards. */
  backwards: number;
  /** Packets without a readable access unit. */
  damaged: number;
  /** Packets that need other parameters than the first one. */
  changed: number;
  /** Time of the first of these from the first picture, 90 kHz. */
  changedAt?: Ticks;
}

/**
 * Yields the access units of a track, with times relative to the first picture. Times never run backwards.
 */
export async function* soundUnits(
  track: InputAudioTrack,
  { unitOf, isOther, delay, timeScale = 1, edits = [] }: SoundUnitFormat,
  { startsAt, seeks = false, losses }: SoundReading,
): AsyncGenerator<AccessUnit> {
  let last = Number.NEGATIVE_INFINITY;
  const sink = new EncodedPacketSink(track);
  const from = (startsAt + delay - SOUND_BEFORE_MAX) / CLOCK_RATE / timeScale;
  for await (const { data, timestamp: seconds } of editedPackets(sink, edits, seeks ? from : undefined)) {
    const timestamp = ticks(Math.round(seconds * timeScale * CLOCK_RATE) - delay - startsAt);
    if (timestamp < -SOUND_BEFORE_MAX) continue;
    if (isOther?.(data)) {
      losses.changed += 1;
      losses.changedAt ??= timestamp;
      continue;
    }
    const part = unitOf(data);
    if (part === undefined || part.length === 0) losses.damaged += 1;
    else if (timestamp <= last) losses.backwards += 1;
    else {
      last = timestamp;
      yield { parts: [part], timestamp, decodeTimestamp: timestamp, importance: 'key' };
    }
  }
}
