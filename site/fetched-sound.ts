import type { SoundDescription, SoundSource } from '../io/sources/media-source.ts';
import type { AccessUnit } from '../protocol/access-unit.ts';
import { ticks } from '../protocol/base/units.ts';
import { parseAdts } from '../protocol/codec/aac/adts.ts';
import { configOfAdts } from '../protocol/codec/aac/audio-specific-config.ts';
import { codecByName } from '../protocol/codec/codecs.ts';

/** Longest header that tells the sound, bytes. */
const HEADER_BYTES = 9;
const aac = codecByName('aac');

/**
 * Fetches the sound of a sample: AAC frames with ADTS headers, of which the first begins with the pictures. Resolves once its
 * first frame has come; with `undefined` when there is none, or it breaks off before.
 */
export async function fetchSound(url: URL): Promise<SoundSource | undefined> {
  const response = await fetch(url).catch(() => undefined);
  if (!response?.ok || !response.body) return undefined;
  const reader = response.body.getReader();
  const chunks: Uint8Array[] = [];
  const length = () => chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const next = async (): Promise<boolean> => {
    const { done, value } = await reader.read();
    if (!done) chunks.push(value);
    return !done;
  };
  const begin = async () => {
    while (length() < HEADER_BYTES && (await next()));
    return describe(joined(chunks));
  };
  const description = await begin().catch(() => undefined);
  if (!description) {
    await reader.cancel().catch(() => {});
    return undefined;
  }
  const whole = (async () => {
    while (await next());
    return framesOf(joined(chunks), description);
  })();
  // Readers of the units get the error.
  whole.catch(() => {});
  return {
    description,
    async *units() {
      yield* await whole;
    },
  };
}

function describe(bytes: Uint8Array): SoundDescription | undefined {
  const header = parseAdts(bytes);
  const parameterSets = header && [configOfAdts(header)];
  const format = parameterSets && aac.sound?.describe(parameterSets);
  if (!format) return undefined;
  const { decoder, sampleRate, channels } = format;
  return { codecName: 'aac', decoder, clockRate: sampleRate, channels, parameterSets };
}

/** Returns the frames without their headers, up to the first that is damaged. */
function framesOf(bytes: Uint8Array, { parameterSets }: SoundDescription): AccessUnit[] {
  const units: AccessUnit[] = [];
  let atTicks = 0;
  for (let at = 0; ; ) {
    const header = parseAdts(bytes.subarray(at));
    if (!header || at + header.frameBytes > bytes.length) return units;
    const part = bytes.subarray(at + header.headerBytes, at + header.frameBytes);
    const timestamp = ticks(Math.round(atTicks));
    units.push({ parts: [part], timestamp, decodeTimestamp: timestamp, importance: 'key' });
    atTicks += aac.sound?.durationOf([part], parameterSets) ?? 0;
    at += header.frameBytes;
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
