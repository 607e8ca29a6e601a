import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Two files at a time: some of them stream in real time, and a starved process is a slow network.
    maxWorkers: 2,
    // These end a test that hangs. The longest computations take ten seconds, and many times that on a busy machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
