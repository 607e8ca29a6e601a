import { createHmac, randomBytes, randomInt } from 'node:crypto';

/** What RFC 3550 wants random (§5.1, §8.1), and what only the two ends of a session may know. */
export const randomSsrc = (): number => randomInt(1, 0xffff_ffff);
export const randomSequence = (): number => randomInt(0, 0x1_0000);
export const randomTimestamp = (): number => randomInt(0, 0x1_0000_0000);
export const randomHex = (bytes: number): string => randomBytes(bytes).toString('hex');

/** HMAC-SHA-256 (RFC 2104), the MAC of the address proof. */
export const mac = (key: Uint8Array, message: Uint8Array): Uint8Array =>
  createHmac('sha256', key).update(message).digest();
