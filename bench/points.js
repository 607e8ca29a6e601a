import { compileAndRun } from './compile.js';

await compileAndRun('points-dist', 'points-command.js');
