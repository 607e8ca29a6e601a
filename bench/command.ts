/** The command `dropframe` from the benchmarks' own build, without the check for changed sources that bin/ makes. */
import { argv, exit } from 'node:process';
import { main } from '../cli/main.ts';

exit(await main(argv));
