import { defineConfig } from 'vitest/config';
import { shared } from './vitest.config.ts';

/** `npm run chaos`: stories that take minutes. */
export default defineConfig({ ...shared, test: { ...shared.test, maxWorkers: 2, include: ['test/chaos/*.chaos.ts'] } });
