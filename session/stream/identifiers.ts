import { createHmac, randomBytes, randomInt } from 'node:crypto';
import { type WireSequence, type WireTimestamp, wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';

/** Random values required by RFC 3550 (§5.1, §8.1), and secrets of a session. */
export const randomSsrc = (): number => randomInt(1, 0xffff_ffff);
export const randomSequence = (): WireSequence => wireSequence(randomInt(0, 0x1_0000));
/** Below 2^15, so that a receiver which misses the first packets knows the roll-over counter (RFC 3711 §3.3.1). */
export const randomLowSequence = (): WireSequence => wireSequence(randomInt(0, 0x8000));
export const randomTimestamp = (): WireTimestamp => wireTimestamp(randomInt(0, 0x1_0000_0000));
/** Canonical name in RTCP that tells nothing of the machine or of other sessions: 96 bits (RFC 7022 §4.2), as a token of SDP. */
export const randomCname = (): string => randomBytes(12).toString('base64url');
export const randomHex = (bytes: number): string => randomBytes(bytes).toString('hex');

/** HMAC-SHA-256 (RFC 2104), used by the address proof. */
export const mac = (key: Uint8Array, message: Uint8Array): Uint8Array =>
  createHmac('sha256', key).update(message).digest();
