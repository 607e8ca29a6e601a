import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { causeOf, Failure } from '../os/failure.ts';
import { type CertifiedSite, makeCertificate } from './self-made-certificate.ts';

/** Certificate and key by which a sender is known. */
export interface Identity {
  /** PEM. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
  /** SHA-256 of the certificate in DER, 64 hexadecimal digits, lower case. */
  readonly fingerprint: string;
}

/** Returns the fingerprint of a certificate in DER. */
export const fingerprintOf = (certificate: Uint8Array): string =>
  createHash('sha256').update(certificate).digest('hex');

/** Makes an identity for this process alone. @param site of a web server, for browsers. */
export function makeIdentity(site?: CertifiedSite): Identity {
  const { certificate, key } = makeCertificate(site);
  return identityOf(new X509Certificate(certificate), key);
}

/**
 * Reads an identity from files in PEM.
 * @throws {Failure} when a file cannot be read, the two do not belong together, or the certificate is not valid now.
 */
export function readIdentity(files: { readonly certificate: string; readonly key: string }): Identity {
  const certificate = parse(files.certificate, 'certificate', (pem) => new X509Certificate(pem));
  const key = parse(files.key, 'private key', (pem) => createPrivateKey(pem));
  if (!certificate.checkPrivateKey(key)) {
    throw new Failure(`the key in ${files.key} does not belong to the certificate in ${files.certificate}`, 2);
  }
  const now = Date.now();
  if (now > Date.parse(certificate.validTo)) {
    throw new Failure(`the certificate in ${files.certificate} has expired (${certificate.validTo})`, 2);
  }
  if (now < Date.parse(certificate.validFrom)) {
    throw new Failure(`the certificate in ${files.certificate} is not valid before ${certificate.validFrom}`, 2);
  }
  return identityOf(certificate, key);
}

function parse<T>(file: string, what: string, read: (pem: string) => T): T {
  let pem: string;
  try {
    pem = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure(`cannot read the ${what} ${file}: ${causeOf(error)}`, 2);
  }
  try {
    return read(pem);
  } catch {
    const locked = /ENCRYPTED/.test(pem) ? '; passphrase-protected keys are not supported' : '';
    throw new Failure(`${file} is not a ${what} in PEM${locked}`, 2);
  }
}

const identityOf = (certificate: X509Certificate, key: KeyObject): Identity => ({
  certificate: certificate.toString(),
  key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  fingerprint: fingerprintOf(certificate.raw),
});
