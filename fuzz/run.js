import { compileAndRun } from '../bench/compile.js';

await compileAndRun('fuzz-dist', 'main.js', 'fuzz');
