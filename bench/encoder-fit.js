import { compileAndRun } from './compile.js';

await compileAndRun('encoder-dist', 'encoder-fit.js');
