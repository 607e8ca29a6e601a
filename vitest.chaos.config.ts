import { defineConfig } from 'vitest/config';
import everyRun from './vitest.config.ts';

/** `npm run chaos`: stories that take minutes. */
export default defineConfig({ ...everyRun, test: { ...everyRun.test, include: ['test/chaos/*.chaos.ts'] } });
