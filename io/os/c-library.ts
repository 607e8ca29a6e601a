import { createRequire } from 'node:module';
import { platform } from 'node:process';

interface Library {
  func(signature: string): (...args: unknown[]) => unknown;
}

interface Koffi {
  load(path: string | null): Library;
  errno(): number;
  address(bytes: Uint8Array): number | bigint;
}

/** Functions by signature; `undefined` if the library lacks the function. */
const found = new Map<string, unknown>();
let loaded: { readonly koffi: Koffi; readonly library: Library } | undefined | null = null;

/**
 * Binds a function of the C library through the optional package koffi, once per signature. Returns `undefined` without
 * koffi or outside Linux; callers have a slower or less exact alternative.
 */
export function libraryFunction<F>(signature: string): F | undefined {
  if (!found.has(signature)) found.set(signature, lookUp(signature));
  return found.get(signature) as F | undefined;
}

function lookUp(signature: string): unknown {
  if (loaded === null) loaded = platform === 'linux' ? load() : undefined;
  try {
    return loaded?.library.func(signature);
  } catch {
    return undefined;
  }
}

/** errno(3) of the last call on this thread; 0 without koffi. */
export const lastErrorNumber = (): number => loaded?.koffi.errno() ?? 0;

/** Address of a buffer's memory, valid as long as the buffer lives; `undefined` without koffi, or beyond 2^53. */
export function addressOf(bytes: Uint8Array): number | undefined {
  const address = Number(loaded?.koffi.address(bytes) ?? Number.NaN);
  return Number.isSafeInteger(address) ? address : undefined;
}

function load(): NonNullable<typeof loaded> | undefined {
  try {
    const koffi: Koffi = createRequire(import.meta.url)('koffi');
    return { koffi, library: koffi.load(null) };
  } catch {
    return undefined;
  }
}
