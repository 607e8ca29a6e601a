import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { PATIENCE_MS } from './test/patience.ts';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    // The package by its own name is its sources here; test/package.test.ts uses what is packed.
    alias: [
      { find: /^dropframe$/, replacement: source('./index.ts') },
      { find: /^dropframe\/node$/, replacement: source('./session/index.ts') },
      { find: /^dropframe\/lab$/, replacement: source('./lab/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    // Two files at a time: some of them stream in real time, and a starved process is a slow network.
    maxWorkers: 2,
    // These end a test that hangs. The longest computations take ten seconds, and many times that on a busy machine.
    testTimeout: PATIENCE_MS,
    hookTimeout: PATIENCE_MS,
  },
});
