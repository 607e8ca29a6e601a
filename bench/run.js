import { compileAndRun } from './compile.js';

await compileAndRun('dist', 'main.js');
