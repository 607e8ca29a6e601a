import type { SrtpCipher } from '../../protocol/srtp/srtp-cipher.ts';
import { nodeCipher } from './node-cipher.ts';
import { openSslCipher } from './openssl-cipher.ts';

/** The fastest AES-128 of this machine. */
export const srtpCipher = (): SrtpCipher => openSslCipher() ?? nodeCipher;
