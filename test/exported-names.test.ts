import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ROOMS = ['protocol', 'sender', 'receiver', 'sim', 'io', 'session', 'lab', 'cli', 'web'];
const EXPORTED = /^export (?:async )?(?:abstract )?(?:const|function|class|interface|type)\*? (\w+)/gm;
/** Entry points of programs. */
const ALLOWED = new Set(['main']);

test('no two files export the same name', () => {
  const files = new Map<string, Set<string>>();
  for (const room of ROOMS) {
    for (const path of readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })) {
      if (!path.endsWith('.ts')) continue;
      for (const [, name] of readFileSync(join(ROOT, room, path), 'utf8').matchAll(EXPORTED)) {
        if (!files.has(name!)) files.set(name!, new Set());
        files.get(name!)!.add(`${room}/${path}`);
      }
    }
  }
  expect(files.size).toBeGreaterThan(1_000);
  const twice = [...files].filter(([name, paths]) => paths.size > 1 && !ALLOWED.has(name));
  expect(twice.map(([name, paths]) => `${name}: ${[...paths].join(', ')}`)).toEqual([]);
});
