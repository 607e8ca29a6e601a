import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';

/** Tags of DER (ITU-T X.690) used by a certificate. */
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;
/** Explicit tag 0 of the version. */
const VERSION_TAG = 0xa0;
/** Explicit tag 3 of the extensions, and implicit tags of names (RFC 5280 §4.2.1.6). */
const EXTENSIONS_TAG = 0xa3;
const DNS_NAME_TAG = 0x82;
const IP_ADDRESS_TAG = 0x87;

/** ecdsa-with-SHA256 (1.2.840.10045.4.3.2, RFC 5758 §3.2) and commonName (2.5.4.3), encoded. */
const ECDSA_WITH_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
const COMMON_NAME = [0x55, 0x04, 0x03];
/** subjectAltName (2.5.29.17), extKeyUsage (2.5.29.37) and serverAuth (1.3.6.1.5.5.7.3.1, RFC 5280 §4.2.1.12), encoded. */
const SUBJECT_ALT_NAME = [0x55, 0x1d, 0x11];
const EXTENDED_KEY_USAGE = [0x55, 0x1d, 0x25];
const SERVER_AUTHENTICATION = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01];

const DAY_MS = 86_400_000;
/** Longest validity that browsers accept of a web server. */
const SITE_DAYS = 397;

const SERIAL_BYTES = 16;

/** A certificate and its private key. */
export interface KeyAndCertificate {
  /** DER. */
  readonly certificate: Uint8Array;
  readonly key: KeyObject;
}

/** A web server whose certificate browsers check beyond its fingerprint. */
export interface CertifiedSite {
  /** IP addresses and host names at which it is reached. */
  readonly hosts: readonly string[];
  /** Present time; the certificate is valid from a day earlier, for clocks that are behind. */
  readonly at: Date;
}

/**
 * Makes a key of P-256 and a certificate that it signs itself (RFC 5280 §4.1). Trust is by fingerprint; name and dates
 * are ignored, except by browsers.
 *
 *     SEQUENCE  version 3, serial number, algorithm, issuer, validity, subject, public key,    signed part
 *                 extensions of a site
 *               algorithm
 *               BIT STRING  signature of the signed part
 */
export function makeCertificate(site?: CertifiedSite): KeyAndCertificate {
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
    site ? siteValidity(site) : ENDLESS,
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(site ? [siteExtensions(site)] : []),
  );
  const signature = sign('sha256', signed, key);
  return { certificate: der(SEQUENCE, signed, algorithm, der(BIT_STRING, [0], signature)), key };
}

function siteValidity({ at }: CertifiedSite): Uint8Array {
  const after = (days: number) => text(UTC_TIME, utcTime(new Date(at.getTime() + days * DAY_MS)));
  return der(SEQUENCE, after(-1), after(SITE_DAYS - 1));
}

/** `YYMMDDhhmmssZ` (RFC 5280 §4.1.2.5.1). */
const utcTime = (at: Date): string => `${at.toISOString().slice(2, 19).replaceAll(/[-T:]/g, '')}Z`;

function siteExtensions({ hosts }: CertifiedSite): Uint8Array {
  const extension = (identifier: readonly number[], value: Uint8Array) =>
    der(SEQUENCE, der(OBJECT_IDENTIFIER, identifier), der(OCTET_STRING, value));
  const purpose = der(SEQUENCE, der(OBJECT_IDENTIFIER, SERVER_AUTHENTICATION));
  const names = der(SEQUENCE, ...hosts.map(generalName));
  return der(EXTENSIONS_TAG, der(SEQUENCE, extension(SUBJECT_ALT_NAME, names), extension(EXTENDED_KEY_USAGE, purpose)));
}

function generalName(host: string): Uint8Array {
  if (isIPv4(host)) return der(IP_ADDRESS_TAG, host.split('.').map(Number));
  return isIPv6(host) ? der(IP_ADDRESS_TAG, ipv6Bytes(host)) : text(DNS_NAME_TAG, host);
}

/** Sixteen bytes of an IPv6 address (RFC 4291 §2.2), without its zone. */
function ipv6Bytes(address: string): Uint8Array {
  // A URL has the last 32 bits in hexadecimal, too.
  const plain = new URL(`http://[${address.split('%', 1)[0]}]/`).hostname.slice(1, -1);
  const [head = [], tail = []] = plain.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill('0'), ...tail];
  return Buffer.from(groups.map((group) => group.padStart(4, '0')).join(''), 'hex');
}

/** Random, positive and without a leading zero, as DER requires of integers. */
function serialNumber(): Uint8Array {
  const serial = randomBytes(SERIAL_BYTES);
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  return serial;
}

const text = (tag: number, value: string): Uint8Array => der(tag, Buffer.from(value, 'utf8'));

/** Without a well-defined end (RFC 5280 §4.1.2.5). */
const ENDLESS = der(SEQUENCE, text(UTC_TIME, '700101000000Z'), text(GENERALIZED_TIME, '99991231235959Z'));

/** Encodes a value: tag, length, content. Lengths up to 127 take one byte, others a count and that many bytes. */
function der(tag: number, ...contents: (Uint8Array | readonly number[])[]): Uint8Array {
  const content = Buffer.concat(contents.map((each) => Uint8Array.from(each)));
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.from([tag, ...size]), content]);
}
