import { compileAndRun } from '../compile.js';

await compileAndRun('peers-dist', 'peers/main.js');
