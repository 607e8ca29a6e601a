import { basename } from 'node:path';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import { Failure } from '../os/failure.ts';
import type { MediaSource, SoundDescription } from './media-source.ts';

export interface PlaylistOptions {
  readonly inputs: readonly [first: string, ...others: string[]];
  /** Opens an input; called again each time that its turn comes. */
  readonly open: (input: string, order: { readonly isFirst: boolean }) => Promise<MediaSource>;
  /** Called with one line about an input that differs in what need not be refused. */
  readonly warn: (message: string) => void;
}

/**
 * Opens inputs that are played one after another as one stream: a source with a `playlist`. All are opened once and
 * compared, as receivers learn size, codec and sound when they join.
 * @throws {Failure} in one line for inputs that cannot follow each other.
 */
export async function openPlaylist({ inputs, open, warn }: PlaylistOptions): Promise<MediaSource> {
  const [first, ...others] = inputs;
  const source = await open(first, { isFirst: true });
  let durationSeconds = source.description.durationSeconds;
  let reorders = hasReordered(source);
  try {
    checkFinite(first, source);
    for (const input of others) {
      const other = await open(input, { isFirst: false });
      await other.close();
      checkFinite(input, other);
      checkAlike({ input: first, source }, { input, source: other });
      if (!other.sound !== !source.sound) {
        const [silent, heard] = other.sound ? [first, input] : [input, first];
        const then = other.sound ? 'the sound of the others is left out' : 'it is silent';
        warn(`${silent} has no sound, but ${heard} has: ${then}`);
      }
      reorders ||= hasReordered(other);
      const seconds = other.description.durationSeconds;
      durationSeconds = seconds === undefined ? undefined : durationSeconds && durationSeconds + seconds;
    }
  } catch (error) {
    await source.close();
    throw error;
  }
  const opened = async (input: string) => {
    const other = await open(input, { isFirst: false });
    try {
      checkAlike({ input: first, source }, { input, source: other });
    } catch (error) {
      await other.close();
      throw error;
    }
    return decodableAlone(other);
  };
  return {
    ...decodableAlone(source),
    description: { ...source.description, durationSeconds },
    playlist: { length: inputs.length, reorders, open: (index) => opened(inputs[index]!) },
  };
}

function checkFinite(input: string, { description }: MediaSource): void {
  if (description.isLive) throw new Failure(`${input} is a live source, which cannot be part of a playlist`, 2);
}

const hasReordered = ({ description: { codecName, parameterSets } }: MediaSource): boolean =>
  codecByName(codecName).reorders?.(parameterSets) === true;

interface Entry {
  readonly input: string;
  readonly source: MediaSource;
}

/** @throws {Failure} when a decoder of the first input would not show the second. */
function checkAlike(first: Entry, second: Entry): void {
  const [ours, theirs] = [first.source.description, second.source.description];
  const sizes = [ours, theirs].map(
    ({ width, height, rotation = 0 }) => `${width}×${height}${rotation ? ` turned by ${rotation}°` : ''}`,
  );
  const differ = (what: string, [one, other]: readonly (string | undefined)[]) =>
    new Failure(
      `${basename(second.input)} has ${what} ${other}, ${basename(first.input)} ${one}: the inputs of one stream must be alike; convert one with ffmpeg`,
      2,
    );
  if (ours.codecName !== theirs.codecName) throw differ('the codec', [ours.codecName, theirs.codecName]);
  if (sizes[0] !== sizes[1]) throw differ('the size', sizes);
  const sounds = [first.source.sound?.description, second.source.sound?.description] as const;
  const [one, other] = sounds.map((sound) => sound && soundText(sound));
  if (one === undefined || other === undefined || one === other) return;
  throw differ(
    'the sound',
    [one, other].map((text) => text.split(' (')[0]),
  );
}

const soundText = ({ codecName, clockRate, channels, parameterSets }: SoundDescription): string =>
  `${codecName} ${clockRate} Hz, ${channels} channel${channels === 1 ? '' : 's'} (${parameterSets.map((set) => Buffer.from(set).toString('hex')).join()})`;

/** The source with its own parameter sets in each key frame: those of the stream are those of the first input. */
function decodableAlone(source: MediaSource): MediaSource {
  const { description, sound } = source;
  const codec = codecByName(description.codecName);
  const isWhole = description.parameterSets.length === 0 || codec.mediaType === 'audio';
  return {
    description,
    sound,
    startSeconds: source.startSeconds,
    units: (pass) => (isWhole ? source.units(pass) : withParameterSets(source.units(pass))),
    close: () => source.close(),
  };

  async function* withParameterSets(units: AsyncIterable<AccessUnit>): AsyncGenerator<AccessUnit> {
    for await (const unit of units) {
      const isKey = unit.importance === 'key';
      yield isKey ? { ...unit, parts: codec.withParameterSets(unit.parts, description.parameterSets) } : unit;
    }
  }
}
