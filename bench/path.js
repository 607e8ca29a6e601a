import { compileAndRun } from './compile.js';

await compileAndRun('path-dist', 'path-command.js');
