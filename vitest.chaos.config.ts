import { mergeConfig } from 'vitest/config';
import everyRun from './vitest.config.ts';

/** `npm run chaos`: the stories of test/chaos, with those that take minutes. */
export default mergeConfig(everyRun, { test: { include: ['test/chaos/*.chaos.ts'] } });
