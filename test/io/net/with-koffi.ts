import { createRequire } from 'node:module';
import { platform } from 'node:process';
import { optional } from '../../optional.ts';

function koffiLoads(): boolean {
  try {
    createRequire(import.meta.url)('koffi');
    return platform === 'linux';
  } catch {
    return false;
  }
}

/** A test that calls the C library. */
export const withKoffi = optional('Linux and the package koffi', koffiLoads());
