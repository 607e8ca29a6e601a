import { createRequire } from 'node:module';
import { platform } from 'node:process';

interface Library {
  func(signature: string): (...args: unknown[]) => unknown;
}

let loaded: { readonly library: Library | undefined } | undefined;

/**
 * A function of the C library by way of the optional package koffi. `undefined` where there is neither that nor Linux:
 * whoever asks has another way, slower or less exact.
 */
export function libraryFunction<F>(signature: string): F | undefined {
  loaded ??= { library: platform === 'linux' ? load() : undefined };
  try {
    return loaded.library?.func(signature) as F | undefined;
  } catch {
    return undefined;
  }
}

function load(): Library | undefined {
  try {
    return createRequire(import.meta.url)('koffi').load(null);
  } catch {
    return undefined;
  }
}
