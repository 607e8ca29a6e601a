/** The command `dropframe` from the benchmarks' build, without the check for changed sources in bin/. */
import { argv, exit } from 'node:process';
import { main } from '../cli/main.ts';

exit(await main(argv));
