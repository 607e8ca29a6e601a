import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readFingerprint } from '../../../io/crypto/fingerprint.ts';
import { makeIdentity, readIdentity } from '../../../io/crypto/identity.ts';
import { Failure } from '../../../io/os/failure.ts';
import { optional } from '../../optional.ts';

const folder = mkdtempSync(join(tmpdir(), 'dropframe-identity-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const openSsl = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' });
const hasOpenSsl = (() => {
  try {
    return openSsl('version').startsWith('OpenSSL');
  } catch {
    return false;
  }
})();
const withOpenSsl = optional('openssl', hasOpenSsl);

describe('a self-made certificate', () => {
  const made = makeIdentity();

  test('is signed by its own key, and has no end', () => {
    const certificate = new X509Certificate(made.certificate);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.fingerprint256.replaceAll(':', '').toLowerCase()).toBe(made.fingerprint);
    expect(certificate.validTo).toBe('Dec 31 23:59:59 9999 GMT');
    expect(certificate.serialNumber).toHaveLength(32);
  });

  test('is different each time', () => {
    expect(makeIdentity().fingerprint).not.toBe(made.fingerprint);
  });

  withOpenSsl('names the hosts of a web server, and ends before browsers refuse it', () => {
    const hosts = ['192.0.2.7', '2001:db8::7:0', '::1', 'studio.local'];
    const site = makeIdentity({ hosts, at: new Date('2026-11-29T12:00:00Z') });
    const certificate = new X509Certificate(site.certificate);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    for (const address of hosts.slice(0, 3)) expect(certificate.checkIP(address)).toBe(address);
    expect(certificate.checkHost('studio.local')).toBe('studio.local');
    expect(certificate.checkIP('192.0.2.8')).toBeUndefined();
    const text = openSsl('x509', '-in', file('site.pem', site.certificate), '-noout', '-text');
    expect(text).toContain('TLS Web Server Authentication');
    expect(text).toContain('Not Before: Nov 28 12:00:00 2026 GMT');
    expect(text).toContain('Not After : Dec 30 12:00:00 2027 GMT');
    expect(text).toContain('IP Address:2001:DB8:0:0:0:0:7:0, IP Address:0:0:0:0:0:0:0:1, DNS:studio.local');
  });

  withOpenSsl('is valid for openssl too: version 3, P-256, ECDSA with SHA-256, the same fingerprint', () => {
    const pem = file('made.pem', made.certificate);
    expect(openSsl('verify', '-check_ss_sig', '-CAfile', pem, pem)).toContain('made.pem: OK');
    const text = openSsl('x509', '-in', pem, '-noout', '-text');
    expect(text).toContain('Version: 3 (0x2)');
    expect(text).toContain('Signature Algorithm: ecdsa-with-SHA256');
    expect(text).toContain('NIST CURVE: P-256');
    const printed = openSsl('x509', '-in', pem, '-noout', '-fingerprint', '-sha256').split('=')[1]!.trim();
    expect(readFingerprint(printed)).toBe(made.fingerprint);
  });
});

describe("a certificate of one's own", () => {
  const make = (name: string, ...options: string[]) => {
    const paths = { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
    openSsl(
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=camera'],
      ...['-keyout', paths.key, '-out', paths.certificate, ...options],
    );
    return paths;
  };

  withOpenSsl('is read with its key', () => {
    const paths = make('good', '-days', '2');
    expect(readIdentity(paths).fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  withOpenSsl('that has expired or does not match its key is refused in one line', () => {
    const [good, other] = [make('one', '-days', '2'), make('two', '-days', '2')];
    expect(() => readIdentity({ ...good, key: other.key })).toThrow(/does not belong to the certificate/);
    openSsl('x509', '-in', good.certificate, '-signkey', good.key, '-days', '-1', '-out', join(folder, 'old.pem'));
    expect(() => readIdentity({ ...good, certificate: join(folder, 'old.pem') })).toThrow(/has expired/);
  });

  test('that is missing or unreadable is refused in one line, with the file', () => {
    const { certificate, key } = makeIdentity();
    const paths = { certificate: file('c.pem', certificate), key: file('k.pem', key) };
    const noise = file('noise.pem', 'not a certificate');
    const faults = [
      { ...paths, key: join(folder, 'nowhere.key') },
      { ...paths, certificate: noise },
      { ...paths, key: noise },
      { ...paths, key: paths.certificate },
    ];
    for (const fault of faults) {
      const attempt = () => readIdentity(fault);
      expect(attempt).toThrow(Failure);
      expect(attempt).toThrow(/nowhere\.key|noise\.pem|c\.pem/);
    }
    expect(readIdentity(paths).fingerprint).toHaveLength(64);
  });
});

test('a fingerprint is read in the form of openssl and of the URL', () => {
  const digits = '0123456789abcdef'.repeat(4);
  expect(readFingerprint(digits.toUpperCase().match(/../g)!.join(':'))).toBe(digits);
  expect(readFingerprint(digits)).toBe(digits);
  for (const text of ['', digits.slice(1), `${digits}0`, `g${digits.slice(1)}`]) {
    expect(readFingerprint(text)).toBeUndefined();
  }
});
