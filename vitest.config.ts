import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
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
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
  },
} satisfies ViteUserConfig;

/** Folders of tests that drive other programs, for minutes: each has a process of its own. */
const PROGRAMS = 'browser|chaos|cli|interop|site';

/** A worker keeps its modules only when the next file may share them too: those files are run one after another. */
class SharedLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const isShared = ({ project }: TestSpecification) => project.config.isolate === false;
    return [...sorted.filter((file) => !isShared(file)), ...sorted.filter(isShared)];
  }
}

export default defineConfig({
  test: {
    // Two files at a time: some of them stream in real time, and a starved process is a slow network.
    maxWorkers: 2,
    sequence: { sequencer: SharedLast },
    projects: [
      {
        ...shared,
        // Modules are loaded once a worker, not once a file: loading takes as long as most of these tests. They leave nothing
        // behind for each other: no process, socket or variable, and each global as it was.
        test: {
          ...shared.test,
          name: 'shared',
          include: ['test/*.test.ts', `test/!(${PROGRAMS})/**/!(*.mocked).test.ts`],
          isolate: false,
        },
      },
      {
        ...shared,
        test: {
          ...shared.test,
          name: 'alone',
          // Those that replace a module would find it loaded.
          include: [`test/+(${PROGRAMS})/**/*.test.ts`, 'test/**/*.mocked.test.ts'],
        },
      },
    ],
  },
});
