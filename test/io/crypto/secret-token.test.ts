import { expect, test } from 'vitest';
import { SecretToken } from '../../../io/crypto/secret-token.ts';

test('a token matches itself, and nothing shorter, longer or empty', () => {
  const token = new SecretToken('correct-horse');
  expect(token.matches('correct-horse')).toBe(true);
  for (const given of ['', 'correct-hors', 'correct-horse ', 'Correct-horse', 'x'.repeat(10_000)]) {
    expect(token.matches(given), given).toBe(false);
  }
});
