import { expect, test } from 'vitest';
import { encryptionText } from '../../cli/send-texts.ts';
import { makeIdentity } from '../../io/crypto/identity.ts';

const LOCAL = 'not encrypted: only programs on this machine can connect';

test('addresses that are alike share one sentence about their encryption', () => {
  expect(encryptionText({}, ['rtsp://127.0.0.1:8554/film', 'http://127.0.0.1:8889/film'])).toBe(LOCAL);
});

test('encrypted addresses for players are not called local where dropframe:// is', () => {
  const urls = ['rtsps://10.0.0.1:8554/film', 'rtsps://127.0.0.1:8554/film', 'https://10.0.0.1:8889/film'];
  expect(encryptionText({}, urls)).toBe(`dropframe:// ${LOCAL}; rtsps:// and https:// encrypted with TLS`);
});

test('open addresses for players are not called encrypted where dropframe:// is', () => {
  const identity = makeIdentity();
  const own = 'encrypted with TLS 1.3 and SRTP: receivers need the passphrase';
  expect(encryptionText({ identity, passphrase: 'a long passphrase' })).toBe(own);
  expect(encryptionText({ identity, passphrase: 'a long passphrase' }, ['rtsp://127.0.0.1:8554/film'])).toBe(
    `dropframe:// ${own}; rtsp:// ${LOCAL}`,
  );
});
