import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { PATIENCE_MS } from './test/patience.ts';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Common to all runs of tests, the long ones of `npm run chaos` included. */
export const shared = {
  resolve: {
    // The package by its own name is its sources here; test/package.test.ts uses what is packed.
    alias: [
      { find: /^dropframe$/, replacement: source('./index.ts') },
      { find: /^dropframe\/node$/, replacement: source('./session/index.ts') },
      { find: /^dropframe\/lab$/, replacement: source('./lab/index.ts') },
    ],
  },
  test: {
    // These end a test that hangs. The longest computations take ten seconds, and many times that on a busy machine.
    testTimeout: PATIENCE_MS,
    hookTimeout: PATIENCE_MS,
  },
} satisfies ViteUserConfig;

/** Folders of tests that leave nothing behind for each other: no process, socket or variable, and each global as it was. */
const CORE = 'protocol|receiver|sender|sim|web|docs|fuzz';

export default defineConfig({
  test: {
    // Two files at a time: some of them stream in real time, and a starved process is a slow network.
    maxWorkers: 2,
    projects: [
      {
        ...shared,
        // Modules are loaded once a worker, not once a file: loading takes as long as these tests.
        test: {
          ...shared.test,
          name: 'core',
          include: [`test/+(${CORE})/**/*.test.ts`],
          isolate: false,
        },
      },
      {
        ...shared,
        test: {
          ...shared.test,
          name: 'system',
          include: [`test/!(${CORE})/**/*.test.ts`, 'test/*.test.ts'],
        },
      },
    ],
  },
});
