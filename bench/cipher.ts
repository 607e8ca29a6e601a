import { createCipheriv } from 'node:crypto';
import { cpuUsage } from 'node:process';
import { nodeCipher } from '../io/crypto/node-cipher.ts';
import { openSslCipher } from '../io/crypto/openssl-cipher.ts';
import { srtpCipher } from '../io/crypto/srtp-cipher.ts';
import { Failure } from '../io/os/failure.ts';
import { writeUint16 } from '../protocol/base/big-endian.ts';
import { ReusedMemory } from '../protocol/base/reused-memory.ts';
import { IncomingContext } from '../protocol/srtp/incoming-context.ts';
import { OutgoingContext } from '../protocol/srtp/outgoing-context.ts';
import { type Aead, SRTP_KEY_BYTES, SRTP_SALT_BYTES, TAG_BYTES } from '../protocol/srtp/srtp-cipher.ts';
import { sessionMasterKeys } from '../protocol/srtp/srtp-keys.ts';
import { mac } from '../session/stream/identifiers.ts';
import type { BenchPart } from './part.ts';
import { textTable } from './table.ts';

const PAYLOAD_BYTES = 1_200;
const HEADER_BYTES = 16;
const PACKETS = 20_000;
const WARM_UP = 500;
/** Packets of `PAYLOAD_BYTES` in a megabit. */
const PACKETS_PER_MEGABIT = 1e6 / 8 / PAYLOAD_BYTES;

/** CPU time of one packet through each cipher, and of the calls that node:crypto needs for a packet without a payload. */
export const cipher: BenchPart = async ({ rounds }) => {
  const key = new Uint8Array(SRTP_KEY_BYTES).fill(1);
  const nonce = new Uint8Array(SRTP_SALT_BYTES);
  const header = new Uint8Array(HEADER_BYTES);
  const plaintext = new Uint8Array(PAYLOAD_BYTES);
  const sealed = new Uint8Array(PAYLOAD_BYTES + TAG_BYTES);
  const target = new Uint8Array(PAYLOAD_BYTES + TAG_BYTES);
  const node = nodeCipher.aead(key);
  node.seal(nonce, header, plaintext, sealed);
  const both = (name: string, aead: Aead): [string, () => void][] => [
    [`${name}: seal`, () => aead.seal(nonce, header, plaintext, target)],
    [`${name}: open`, () => void aead.open(nonce, header, sealed, target)],
  ];
  const direct = openSslCipher()?.aead(key);
  const ways: [string, () => void][] = [
    ...srtp(),
    ...(direct ? both('OpenSSL through koffi', direct) : []),
    ...both('node:crypto', node),
    ['node:crypto: an object alone', () => void createCipheriv('aes-128-gcm', key, nonce)],
    ['node:crypto: an empty packet', () => node.seal(nonce, header, EMPTY, target)],
  ];
  const best = new Map<string, number>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of ways) best.set(name, Math.min(best.get(name) ?? Number.POSITIVE_INFINITY, timeOf(run)));
  }
  const rows = [...best].map(([name, microseconds]) => [
    name,
    microseconds.toFixed(2),
    ((microseconds * PACKETS_PER_MEGABIT) / 1_000).toFixed(3),
  ]);
  const text = [
    `CPU time of one packet of ${PAYLOAD_BYTES.toLocaleString('en')} bytes, the lowest of ${rounds} rounds of ${PACKETS.toLocaleString('en')}.`,
    '',
    textTable(['', 'µs', 'ms per megabit'], rows),
  ].join('\n');
  return { text, figures: Object.fromEntries(best) };
};

/** A session's packets through all of SRTP: headers, nonces, replay window and memory as well, by the fastest cipher. */
function srtp(): [string, () => void][] {
  const options = { cipher: srtpCipher(), masterKeys: sessionMasterKeys(mac, new Uint8Array(32), 'to-receiver') };
  const memory = new ReusedMemory();
  const packet = new Uint8Array(HEADER_BYTES + EXTENSION_BYTES + PAYLOAD_BYTES);
  // An RTP packet of version 2 with a header extension (RFC 8285) of two words.
  packet.set([0x90, 96]);
  packet.set([0xbe, 0xde, 0, 2], RTP_HEADER_BYTES);
  const sender = () => {
    const outgoing = new OutgoingContext({ ...options, memory });
    let sequence = 0;
    return () => {
      writeUint16(packet, 2, sequence++ & 0xffff);
      memory.release();
      return outgoing.protect(packet);
    };
  };
  const send = sender();
  const made = sender();
  const wire = Array.from({ length: WARM_UP + PACKETS }, () => made().slice());
  let incoming = new IncomingContext(options);
  let next = 0;
  const receive = () => {
    if (next === wire.length) {
      incoming = new IncomingContext(options);
      next = 0;
    }
    if (!incoming.unprotect(wire[next++]!)) throw new Failure('a genuine packet was refused');
  };
  return [
    ['SRTP: protect', () => void send()],
    ['SRTP: unprotect', receive],
  ];
}

const RTP_HEADER_BYTES = 12;
const EXTENSION_BYTES = 8;
const EMPTY = new Uint8Array(0);

/** Mean CPU time of a call, microseconds. */
function timeOf(run: () => void): number {
  for (let call = 0; call < WARM_UP; call++) run();
  const from = cpuUsage();
  for (let call = 0; call < PACKETS; call++) run();
  const { user, system } = cpuUsage(from);
  return (user + system) / PACKETS;
}
