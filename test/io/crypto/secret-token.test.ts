import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { equalSecrets, SecretToken } from '../../../io/crypto/secret-token.ts';

const ROOT = join(import.meta.dirname, '../../..');

test('a token matches itself, and nothing shorter, longer or empty', () => {
  const token = new SecretToken('correct-horse');
  expect(token.matches('correct-horse')).toBe(true);
  for (const given of ['', 'correct-hors', 'correct-horse ', 'Correct-horse', 'x'.repeat(10_000)]) {
    expect(token.matches(given), given).toBe(false);
  }
});

test('two secrets are the same in every character and in length', () => {
  expect(equalSecrets('correct-horse', 'correct-horse')).toBe(true);
  expect(equalSecrets('', '')).toBe(true);
  for (const given of ['', 'correct-hors', 'correct-horse ', 'borrect-horse']) {
    expect(equalSecrets(given, 'correct-horse'), given).toBe(false);
  }
});

test('sources compare secrets by these functions alone', () => {
  const sources = ['io', 'session', 'cli', 'web', 'site'].flatMap((room) =>
    readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(room, name)),
  );
  expect(sources.length).toBeGreaterThan(200);
  const own = sources.filter((path) => readFileSync(join(ROOT, path), 'utf8').includes('timingSafeEqual'));
  expect(own).toEqual([join('io', 'crypto', 'secret-token.ts')]);
});
