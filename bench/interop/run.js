import { compileAndRun } from '../compile.js';

await compileAndRun('interop-dist', 'interop/interop-command.js');
