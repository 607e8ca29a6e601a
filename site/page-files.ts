import { malformed, type Parsed, parsed } from '../protocol/base/parsed.ts';
import type { TraceReader } from '../sim/link/loss/loss-words.ts';
import { SITE_SAMPLES } from './samples.ts';

/** Folder of the site: a worker lies in its folder `assets`. */
const root = new URL('../', import.meta.url);

/** Samples by name. */
export const sampleUrls: ReadonlyMap<string, string> = new Map(
  SITE_SAMPLES.map(({ name, stream }) => [name, new URL(`samples/${stream}`, root).href]),
);

/** Sound of samples by the address of their pictures. */
export const soundUrls: ReadonlyMap<string, URL> = new Map(
  SITE_SAMPLES.flatMap(({ name, sound }) => {
    return sound === undefined ? [] : [[sampleUrls.get(name)!, new URL(`samples/${sound}`, root)] as const];
  }),
);

/** Fetches the traces that links may name. Without them, links that name one are refused. */
export async function fetchTraces(): Promise<TraceReader> {
  const response = await fetch(new URL('traces.json', root)).catch(() => undefined);
  const contents = response?.ok ? ((await response.json()) as Readonly<Record<string, string>>) : {};
  const traces = new Map(Object.entries(contents));
  return (name): Parsed<string> => {
    const content = traces.get(name);
    return content === undefined
      ? malformed(`only these traces can be used here: ${[...traces.keys()]}`)
      : parsed(content);
  };
}
