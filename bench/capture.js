import { compileAndRun } from './compile.js';

await compileAndRun('capture-dist', 'capture-command.js');
