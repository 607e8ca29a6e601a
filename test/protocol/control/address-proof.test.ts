import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Instant, instant, milliseconds, seconds } from '../../../protocol/base/units.ts';
import {
  type AddressProofMessage,
  type Mac,
  parseAddressProof,
  serializeAddressProof,
} from '../../../protocol/control/address-proof.ts';
import { AddressProver } from '../../../protocol/control/address-prover.ts';
import { AddressVerifier } from '../../../protocol/control/address-verifier.ts';
import { parseRtcp, serializeRtcp } from '../../../protocol/rtcp/rtcp.ts';
import { hex, uint, wordsOf } from '../bytes.ts';

const mac: Mac = (key, message) => Uint8Array.from(createHmac('sha256', key).update(message).digest());
const at = (ms: number): Instant => instant(milliseconds(ms));

const SESSION = '0011223344556677';
const KEY = hex('00112233445566778899aabbccddeeff');
const NONCE = hex('a0a1a2a3a4a5a600');
const HERE = '192.0.2.1:5000';
const ELSEWHERE = '203.0.113.9:5000';

const newProver = (key = KEY): AddressProver => new AddressProver({ session: SESSION, key, nonce: NONCE, mac });
const newVerifier = (): AddressVerifier =>
  new AddressVerifier({
    secret: hex('ffeeddccbbaa99887766554433221100'),
    mac,
    keyOf: (session) => (session === SESSION ? KEY : undefined),
  });

function messageOf(datagram: Uint8Array | undefined): AddressProofMessage {
  const packets = parseRtcp(datagram ?? new Uint8Array(0));
  const packet = packets.ok ? packets.value[0] : undefined;
  if (packet?.kind !== 'application') throw new Error('not an application packet');
  const message = parseAddressProof(packet);
  if (!message.ok || message.value === undefined) throw new Error('not an address proof');
  return message.value;
}

function drain(prover: AddressProver, now: number): Uint8Array[] {
  const datagrams: Uint8Array[] = [];
  for (let next = prover.pollTransmit(instant(now)); next !== undefined; next = prover.pollTransmit(instant(now)))
    datagrams.push(next);
  return datagrams;
}

const kinds = (datagrams: readonly Uint8Array[]): string[] => datagrams.map((datagram) => messageOf(datagram).kind);

describe('on the wire', () => {
  const nonce = NONCE;
  const head = '00000000 4446524d 0011223344556677 a0a1a2a3a4a5a600';
  const challenge = hex('c0c1c2c3c4c5c6c7c8c9cacbcccdcecf');
  const proof = new Uint8Array(32).fill(0xdd);
  test.each([
    // V=2 and subtype 0, APP, eleven words; SSRC, name, session, nonce; zeros.
    ['hello', { kind: 'hello', session: SESSION, nonce }, `80cc000a ${head} ${'00'.repeat(16)}`],
    // Subtype 1, eleven words: as long as the hello.
    [
      'challenge',
      { kind: 'challenge', session: SESSION, nonce, challenge },
      `81cc000a ${head} c0c1c2c3c4c5c6c7c8c9cacbcccdcecf`,
    ],
    // Subtype 2, fifteen words.
    ['proof', { kind: 'proof', session: SESSION, nonce, proof }, `82cc000e ${head} ${'dd'.repeat(32)}`],
    // Subtype 3, seven words.
    ['confirmed', { kind: 'confirmed', session: SESSION, nonce }, `83cc0006 ${head}`],
  ] as const)('%s is an RTCP application packet', (_, message, bytes) => {
    expect(serializeAddressProof(message)).toEqual(hex(bytes));
    expect(messageOf(hex(bytes))).toEqual(message);
  });

  test('other application packets are skipped', () => {
    const packet = { kind: 'application', ssrc: 0, subtype: 0, name: 'DFRM', data: new Uint8Array(32) } as const;
    expect(parseAddressProof({ ...packet, name: 'qtsi' })).toEqual({ ok: true, value: undefined });
    expect(parseAddressProof({ ...packet, subtype: 4 })).toEqual({ ok: true, value: undefined });
  });

  test('a hello shorter than its challenge is malformed, so that the port never amplifies', () => {
    const packet = { kind: 'application', ssrc: 0, subtype: 0, name: 'DFRM', data: new Uint8Array(28) } as const;
    expect(parseAddressProof(packet)).toEqual({ ok: false, malformed: 'address-proof-length' });
    expect(parseAddressProof({ ...packet, data: new Uint8Array(64) }).ok).toBe(true);
  });

  test('never throws on arbitrary bytes', () => {
    fc.assert(
      fc.property(uint(5), wordsOf(16), (subtype, data) => {
        const packet = { kind: 'application', ssrc: 0, subtype, name: 'DFRM', data } as const;
        expect(parseAddressProof(packet)).toHaveProperty('ok');
      }),
    );
  });
});

describe('between a prover and a verifier', () => {
  test('an address that receives and holds the key is proved in two round trips', () => {
    const prover = newProver();
    const verifier = newVerifier();
    const hello = prover.pollTransmit(at(0));
    const challenge = verifier.handle(at(10), HERE, messageOf(hello));
    prover.handleDatagram(at(20), challenge.reply!);
    const proof = prover.pollTransmit(at(20));
    const confirmed = verifier.handle(at(30), HERE, messageOf(proof));
    expect(confirmed.proved).toBe(SESSION);
    prover.handleDatagram(at(40), confirmed.reply!);

    expect(prover.pollEvent()).toEqual({ kind: 'confirmed', roundTrip: milliseconds(20) });
    expect(prover.pollEvent()).toBeUndefined();
    expect(drain(prover, at(40))).toEqual([]);
    expect(prover.pollTimeout()).toBeUndefined();
  });

  test('a challenge depends on hello, address and verifier only', () => {
    const hello = { kind: 'hello', session: SESSION, nonce: NONCE } as const;
    const other = { ...hello, nonce: hex('a0a1a2a3a4a5a601') };
    const verifier = newVerifier();
    const secret = hex('00000000000000000000000000000001');
    const elsewhere = new AddressVerifier({ secret, mac, keyOf: () => KEY });
    const challenges = [
      verifier.handle(at(0), HERE, hello),
      verifier.handle(at(0), HERE, other),
      verifier.handle(at(0), ELSEWHERE, hello),
      verifier.handle(instant(seconds(15)), HERE, hello),
      elsewhere.handle(at(0), HERE, hello),
    ].map(({ reply }) => Buffer.from(reply!.subarray(28)).toString('hex'));
    expect(new Set(challenges).size).toBe(5);
    expect(verifier.handle(at(1), HERE, hello)).toEqual(newVerifier().handle(at(0), HERE, hello));
  });

  test('no reply is longer than its request', () => {
    const prover = newProver();
    const verifier = newVerifier();
    const hello = prover.pollTransmit(at(0))!;
    const challenge = verifier.handle(at(0), HERE, messageOf(hello)).reply!;
    prover.handleDatagram(at(0), challenge);
    const proof = prover.pollTransmit(at(0))!;
    const confirmed = verifier.handle(at(0), HERE, messageOf(proof)).reply!;
    expect(challenge.length).toBeLessThanOrEqual(hello.length);
    expect(confirmed.length).toBeLessThanOrEqual(proof.length);
  });

  function proofFor(verifier: AddressVerifier, prover: AddressProver, now: number): AddressProofMessage {
    const { reply } = verifier.handle(instant(now), HERE, messageOf(prover.pollTransmit(instant(now))));
    prover.handleDatagram(instant(now), reply!);
    return messageOf(prover.pollTransmit(instant(now)));
  }

  test('a proof is not valid for another address', () => {
    const verifier = newVerifier();
    const proof = proofFor(verifier, newProver(), at(0));
    expect(verifier.handle(at(1), ELSEWHERE, proof)).toEqual({});
    expect(verifier.handle(at(1), '192.0.2.1:5001', proof)).toEqual({});
    expect(verifier.handle(at(1), HERE, proof).proved).toBe(SESSION);
  });

  test('a proof with another key is ignored', () => {
    const verifier = newVerifier();
    const proof = proofFor(verifier, newProver(hex('ff112233445566778899aabbccddeeff')), at(0));
    expect(verifier.handle(at(1), HERE, proof)).toEqual({});
  });

  test('a proof changed in any byte is ignored', () => {
    const verifier = newVerifier();
    const proof = proofFor(verifier, newProver(), at(0));
    if (proof.kind !== 'proof') throw new Error('no proof');
    for (let index = 0; index < 32; index++) {
      const forged = proof.proof.slice();
      forged[index]! ^= 0x01;
      expect(verifier.handle(at(1), HERE, { ...proof, proof: forged })).toEqual({});
    }
    const nonce = proof.nonce.slice();
    nonce[7]! ^= 0x01;
    expect(verifier.handle(at(1), HERE, { ...proof, nonce })).toEqual({});
  });

  test('a challenge is valid across one change of epoch and then expires', () => {
    const verifier = newVerifier();
    const proof = proofFor(verifier, newProver(), seconds(14));
    expect(verifier.handle(instant(seconds(29)), HERE, proof).proved).toBe(SESSION);
    expect(verifier.handle(instant(seconds(30)), HERE, proof)).toEqual({});
  });

  test('an unknown session and messages of the wrong direction get no reply', () => {
    const verifier = newVerifier();
    const unknown = 'ffffffffffffffff';
    expect(verifier.handle(at(0), HERE, { kind: 'hello', session: unknown, nonce: NONCE })).toEqual({});
    const proof = new Uint8Array(32);
    expect(verifier.handle(at(0), HERE, { kind: 'proof', session: unknown, nonce: NONCE, proof })).toEqual({});
    expect(verifier.handle(at(0), HERE, { kind: 'confirmed', session: SESSION, nonce: NONCE })).toEqual({});
    const challenge = new Uint8Array(16);
    expect(verifier.handle(at(0), HERE, { kind: 'challenge', session: SESSION, nonce: NONCE, challenge })).toEqual({});
  });
});

describe('a prover on a lossy path', () => {
  test('asks again after 100, 200, 400 and 800 ms, then every second', () => {
    const prover = newProver();
    const sentAt: number[] = [];
    for (let now: number | undefined = at(0); now !== undefined && now <= seconds(4); now = prover.pollTimeout()) {
      prover.handleTimeout(instant(now));
      for (const kind of kinds(drain(prover, now))) {
        expect(kind).toBe('hello');
        sentAt.push(now);
      }
    }
    expect(sentAt).toEqual([0, 100, 300, 700, 1_500, 2_500, 3_500].map(milliseconds));
  });

  test('sends nothing on an early timeout', () => {
    const prover = newProver();
    drain(prover, at(0));
    prover.handleTimeout(at(99));
    expect(drain(prover, at(99))).toEqual([]);
  });

  test('repeats a lost proof together with a new hello, in case its challenge has expired', () => {
    const prover = newProver();
    const verifier = newVerifier();
    prover.handleDatagram(at(30), verifier.handle(at(15), HERE, messageOf(prover.pollTransmit(at(0)))).reply!);
    expect(kinds(drain(prover, at(30)))).toEqual(['proof']);
    expect(prover.pollTimeout()).toBe(milliseconds(130));
    prover.handleTimeout(at(130));
    const [proof, hello] = drain(prover, at(130));
    expect(kinds([proof!, hello!])).toEqual(['proof', 'hello']);
    expect(verifier.handle(at(145), HERE, messageOf(proof)).proved).toBe(SESSION);
  });

  test('measures the round trip of the hello that was answered, not of the last or first one sent', () => {
    const prover = newProver();
    const verifier = newVerifier();
    drain(prover, at(0));
    prover.handleTimeout(at(100));
    const [second] = drain(prover, at(100));
    prover.handleTimeout(at(300));
    drain(prover, at(300));
    prover.handleDatagram(at(350), verifier.handle(at(200), HERE, messageOf(second)).reply!);
    const proof = messageOf(prover.pollTransmit(at(350)));
    prover.handleDatagram(at(600), verifier.handle(at(475), HERE, proof).reply!);
    expect(prover.pollEvent()).toEqual({ kind: 'confirmed', roundTrip: milliseconds(250) });
  });

  test('ignores duplicates', () => {
    const prover = newProver();
    const verifier = newVerifier();
    const challenge = verifier.handle(at(5), HERE, messageOf(prover.pollTransmit(at(0)))).reply!;
    prover.handleDatagram(at(10), challenge);
    prover.handleDatagram(at(11), challenge);
    const proofs = drain(prover, at(11));
    expect(kinds(proofs)).toEqual(['proof']);
    const confirmed = verifier.handle(at(15), HERE, messageOf(proofs[0])).reply!;
    prover.handleDatagram(at(20), confirmed);
    prover.handleDatagram(at(21), confirmed);
    prover.handleDatagram(at(22), challenge);
    expect(prover.pollEvent()).toEqual({ kind: 'confirmed', roundTrip: milliseconds(10) });
    expect(prover.pollEvent()).toBeUndefined();
    expect(drain(prover, at(22))).toEqual([]);
  });

  test('ignores datagrams of third parties', () => {
    const prover = newProver();
    drain(prover, at(0));
    const challenge = new Uint8Array(16);
    const otherNonce = hex('00a1a2a3a4a5a600');
    const notSentYet = hex('a0a1a2a3a4a5a601');
    for (const message of [
      { kind: 'challenge', session: 'ffffffffffffffff', nonce: NONCE, challenge },
      { kind: 'challenge', session: SESSION, nonce: otherNonce, challenge },
      { kind: 'challenge', session: SESSION, nonce: notSentYet, challenge },
      { kind: 'confirmed', session: SESSION, nonce: NONCE },
      { kind: 'hello', session: SESSION, nonce: NONCE },
    ] as const) {
      prover.handleDatagram(at(1), serializeAddressProof(message));
    }
    prover.handleDatagram(at(1), hex('80e0000100000000000000aa'));
    prover.handleDatagram(at(1), serializeRtcp([{ kind: 'goodbye', ssrcs: [1], reason: '' }]));
    expect(drain(prover, at(1))).toEqual([]);
    expect(prover.pollEvent()).toBeUndefined();
    expect(prover.confirmed).toBe(false);
  });
});
