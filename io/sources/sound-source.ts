import type { InputAudioTrack } from 'mediabunny';
import { CLOCK_RATE, type Ticks, ticks } from '../../protocol/base/units.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import type { SoundDescription, SoundSource, SourcePass } from './media-source.ts';
import type { SoundFormatOfTrack } from './sound-track.ts';
import { type SoundLosses, soundUnits } from './sound-units.ts';

/** Sound that was opened, and what it holds. */
export interface OpenedSound extends SoundSource {
  /** `undefined` when unknown. */
  readonly durationSeconds: number | undefined;
  /** True when it is encoded anew. */
  readonly isEncoded: boolean;
  /** Stops everything that was started for it. */
  close(): void;
}

/** One pass over a sound track. */
export interface SoundPass {
  readonly track: InputAudioTrack;
  /** Resolves after the last packet: what went wrong before it; `undefined`: nothing. */
  readonly complaint?: (() => Promise<string | undefined>) | undefined;
  /** Stops the pass, and frees what it holds. */
  close(): void;
}

/** How a sound is read, pass after pass. */
export interface SoundPasses {
  /** Name of the input, for messages. */
  readonly input: string;
  readonly format: SoundFormatOfTrack;
  /** Time of the first picture in the times of the track, 90 kHz. */
  readonly startsAt: Ticks;
  readonly durationSeconds: number | undefined;
  /** Place at which the source starts, seconds from its beginning; default 0. */
  readonly startSeconds?: number | undefined;
  /** True when it is encoded anew; default false. */
  readonly isEncoded?: boolean;
  /** The first pass, where it is open already. */
  readonly first?: SoundPass | undefined;
  /** Opens a pass that holds everything from `fromSeconds` after the beginning on, in the times of the track. */
  readonly open: (fromSeconds: number) => Promise<SoundPass>;
  warn(message: string): void;
}

/** A source over the passes of a track. A pass that fails ends the sound of its round with a warning. */
export function soundSource(passes: SoundPasses): OpenedSound {
  const { input, format, startsAt, durationSeconds, startSeconds = 0, isEncoded = false, first, open, warn } = passes;
  let waiting = first;
  let isClosed = false;
  const running = new Set<SoundPass>(first ? [first] : []);
  return {
    description: descriptionOf(format),
    durationSeconds,
    isEncoded,
    async *units({ isRepeat = false }: SourcePass = {}) {
      const fromSeconds = isRepeat ? 0 : startSeconds;
      const losses: SoundLosses = { backwards: 0, damaged: 0, changed: 0 };
      let run = waiting;
      waiting = undefined;
      try {
        if (!run) {
          run = await open(fromSeconds);
          // The source may have been closed meanwhile.
          if (isClosed) return;
          running.add(run);
        }
        const from = ticks(startsAt + Math.round(fromSeconds * CLOCK_RATE));
        // Sound that is encoded as it is read cannot be searched.
        yield* soundUnits(run.track, format, { startsAt: from, seeks: fromSeconds > 0 && !isEncoded, losses });
        const complaint = await run.complaint?.();
        if (complaint !== undefined && !isClosed) warn(`${input}: the sound ends early: ${complaint}`);
      } catch (error) {
        if (!isClosed) warn(`${input}: the sound ends early: ${(error as Error).message}`);
      } finally {
        if (run) running.delete(run);
        run?.close();
        reportLosses(input, losses, warn);
      }
    },
    close() {
      isClosed = true;
      for (const run of running) run.close();
      running.clear();
    },
  };
}

function descriptionOf({ codecName, parameterSets }: SoundFormatOfTrack): SoundDescription {
  const { sound, clockRate, clockRateVaries } = codecByName(codecName);
  const format = sound!.describe(parameterSets)!;
  return {
    codecName,
    decoder: format.decoder,
    clockRate: clockRateVaries ? format.sampleRate : clockRate,
    channels: format.channels,
    parameterSets,
  };
}

function reportLosses(input: string, losses: SoundLosses, warn: SoundPasses['warn']): void {
  const { backwards, damaged, changed, changedAt = 0 } = losses;
  if (changed > 0) {
    const from = `from ${(changedAt / CLOCK_RATE).toFixed(1)} s on`;
    warn(
      `${input}: ${changed} packets of the sound were left out ${from}, as their sampling rate or channels are others`,
    );
  }
  if (backwards > 0) warn(`${input}: ${backwards} packets of the sound were left out, as their times run backwards`);
  if (damaged > 0) warn(`${input}: ${damaged} packets of the sound were left out, as they are damaged`);
}
