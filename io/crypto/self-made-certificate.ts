import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** Tags of DER (ITU-T X.690) used by a certificate. */
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;
/** Explicit tag 0 of the version. */
const VERSION_TAG = 0xa0;

/** ecdsa-with-SHA256 (1.2.840.10045.4.3.2, RFC 5758 §3.2) and commonName (2.5.4.3), encoded. */
const ECDSA_WITH_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const COMMON_NAME = [0x55, 0x04, 0x03];

const SERIAL_BYTES = 16;

/** A certificate and its private key. */
export interface KeyAndCertificate {
  /** DER. */
  readonly certificate: Uint8Array;
  readonly key: KeyObject;
}

/**
 * Makes a key of P-256 and a certificate that it signs itself (RFC 5280 §4.1): trust is by fingerprint; name and dates
 * are ignored.
 *
 *     SEQUENCE  version 3, serial number, algorithm, issuer, validity, subject, public key     signed part
 *               algorithm
 *               BIT STRING  signature of the signed part
 */
export function makeCertificate(): KeyAndCertificate {
  const { publicKey, privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(SEQUENCE, der(OBJECT_IDENTIFIER, ECDSA_WITH_SHA256));
  const name = der(
    SEQUENCE,
    der(SET, der(SEQUENCE, der(OBJECT_IDENTIFIER, COMMON_NAME), text(UTF8_STRING, 'dropframe'))),
  );
  const signed = der(
    SEQUENCE,
    der(VERSION_TAG, der(INTEGER, [2])),
    der(INTEGER, serialNumber()),
    algorithm,
    name,
    // Without a well-defined end (RFC 5280 §4.1.2.5).
    der(SEQUENCE, text(UTC_TIME, '700101000000Z'), text(GENERALIZED_TIME, '99991231235959Z')),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = sign('sha256', signed, key);
  return { certificate: der(SEQUENCE, signed, algorithm, der(BIT_STRING, [0], signature)), key };
}

/** Random, positive and without a leading zero, as DER requires of integers. */
function serialNumber(): Uint8Array {
  const serial = randomBytes(SERIAL_BYTES);
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return serial;
}

const text = (tag: number, value: string): Uint8Array => der(tag, Buffer.from(value, 'utf8'));

/** Encodes a value: tag, length, content. Lengths up to 127 take one byte, others a count and that many bytes. */
function der(tag: number, ...contents: (Uint8Array | readonly number[])[]): Uint8Array {
  const content = Buffer.concat(contents.map((each) => Uint8Array.from(each)));
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.from([tag, ...size]), content]);
}
