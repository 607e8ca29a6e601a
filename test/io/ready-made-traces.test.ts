import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readReadyMadeTrace, readyMadeTraces } from '../../io/ready-made-traces.ts';
import { readTraceFile } from '../../io/trace-file.ts';
import { parseCapacityTrace } from '../../sim/link/stages/capacity-trace.ts';

const FOLDER = join(import.meta.dirname, '../../samples/traces');

describe('the bundled traces', () => {
  test('equal the output of their generator, to the byte', () => {
    const folder = mkdtempSync(join(tmpdir(), 'dropframe-traces-'));
    try {
      execFileSync(process.execPath, [join(FOLDER, 'make.js'), folder], { stdio: 'ignore' });
      expect([...readyMadeTraces().keys()]).toEqual([
        'lift.down',
        'lte-drive.down',
        'lte-drive.up',
        'wifi-crowded.down',
      ]);
      for (const [name, content] of readyMadeTraces()) expect(readFileSync(join(folder, name), 'utf8')).toBe(content);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('can be read, last their time and have at most 200 kB', () => {
    for (const [name, content] of readyMadeTraces()) {
      const trace = parseCapacityTrace(name, content);
      expect(trace).toMatchObject({ ok: true });
      const seconds = { 'lift.down': 40, 'wifi-crowded.down': 20 }[name] ?? 80;
      if (trace.ok) expect(trace.value.opportunities.at(-1)).toBe(seconds * 1_000);
      expect(content.length).toBeLessThan(200_000);
    }
  });

  test('are found by their name if no file has it', () => {
    expect(readTraceFile('lte-drive.down')).toEqual({ ok: true, value: readyMadeTraces().get('lte-drive.down') });
    expect(readTraceFile(join(tmpdir(), 'no-such-folder', 'lte-drive.up'), 'lte-drive.up').ok).toBe(true);
    expect(readTraceFile('no-such-folder/lte-drive.up').ok).toBe(false);
  });

  test('are the only files that a page can name', () => {
    expect(readReadyMadeTrace('lte-drive.down').ok).toBe(true);
    for (const name of [
      'make.js',
      '../traces/lte-drive.down',
      './lte-drive.down',
      join(FOLDER, 'lte-drive.down'),
      '../../package.json',
      '/etc/passwd',
      'lte-drive.down/../make.js',
      '%2e%2e/make.js',
      '__proto__',
      '',
    ]) {
      expect(readReadyMadeTrace(name)).toEqual({
        ok: false,
        malformed:
          'only traces of samples/traces can be used here: lift.down, lte-drive.down, lte-drive.up, wifi-crowded.down',
      });
    }
  });
});
