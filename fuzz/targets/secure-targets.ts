import { srtpCipher } from '../../io/crypto/srtp-cipher.ts';
import { type Instant, instant, later, milliseconds, seconds } from '../../protocol/base/units.ts';
import type { AddressProofMessage } from '../../protocol/control/address-proof.ts';
import { AddressProver } from '../../protocol/control/address-prover.ts';
import { AddressVerifier } from '../../protocol/control/address-verifier.ts';
import { answerToProbe, parseProbeAnswer, serializeProbe } from '../../protocol/control/path-probe.ts';
import { serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { serializeRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import { IncomingContext } from '../../protocol/srtp/incoming-context.ts';
import { OutgoingContext } from '../../protocol/srtp/outgoing-context.ts';
import type { Aead, SrtpCipher } from '../../protocol/srtp/srtp-cipher.ts';
import { sessionMasterKeys } from '../../protocol/srtp/srtp-keys.ts';
import { mac } from '../../session/stream/identifiers.ts';
import { readProof } from '../../session/stream/proof-datagram.ts';
import { drain, driveUntil } from '../drive.ts';
import type { FuzzStep } from '../fuzz-input.ts';
import { type FuzzTarget, hold } from '../fuzz-target.ts';
import { mutateBytes, withNumber } from '../mutate-bytes.ts';
import { mutateDatagram } from '../mutate-datagram.ts';

const SSRC = 0x2a2b_2c2d;
const MASTER_KEYS = sessionMasterKeys(mac, new Uint8Array(32).fill(16), 'to-receiver');
/** Larger than the gap in the sequence numbers below, so that packets are of two keys. */
const EPOCH_PACKETS = 64;

const textOf = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

/** Keys are the same in every input, and their contexts are made once. */
const CIPHER: SrtpCipher = (() => {
  const aeads = new Map<string, Aead>();
  const streams = new Map<string, Uint8Array>();
  const kept = <Value>(all: Map<string, Value>, key: string, make: () => Value): Value => {
    const found = all.get(key) ?? make();
    all.set(key, found);
    return found;
  };
  let cipher: SrtpCipher | undefined;
  const own = (): SrtpCipher => {
    cipher ??= srtpCipher();
    return cipher;
  };
  return {
    aead: (key) => kept(aeads, textOf(key), () => own().aead(key)),
    keyStream: (key, counter, bytes) =>
      kept(streams, `${textOf(key)} ${textOf(counter)} ${bytes}`, () => own().keyStream(key, counter, bytes)),
  };
})();

/** Packets of a sender, and each as it is on the wire. */
const GENUINE: ReadonlyMap<string, string> = (() => {
  const outgoing = new OutgoingContext({ cipher: CIPHER, masterKeys: MASTER_KEYS, epochPackets: EPOCH_PACKETS });
  const packets = [0, 1, 2, 3, 60, 63, 64, 65].map((sequence) =>
    serializeRtpPacket({
      ...{ marker: true, payloadType: 96, ssrc: SSRC, csrcs: sequence === 3 ? [7, 8] : [] },
      sequenceNumber: wireSequence(sequence),
      timestamp: wireTimestamp(sequence * 3_000),
      payload: new Uint8Array(20).fill(sequence),
      ...(sequence % 2 === 0 && { extension: { profile: 0xbede, data: Uint8Array.of(0x10, sequence, 0, 0) } }),
    }),
  );
  const reports = [1, 2].map((ssrc) => serializeRtcp([{ kind: 'receiver-report', ssrc, reports: [] }]));
  return new Map(
    [...packets, ...reports].map((packet) => [textOf(outgoing.protect(packet.slice())), textOf(packet)] as const),
  );
})();

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
const stepsOf = (datagrams: readonly Uint8Array[]): FuzzStep[] => datagrams.map((bytes) => ({ pause: 0, bytes }));

/** Encrypted datagrams: only those of the sender are accepted, each once, as they were before encryption. */
export const srtpTarget: FuzzTarget = {
  name: 'srtp',
  seeds: () => [{ choices: 0, steps: stepsOf([...GENUINE.keys()].map(bytesOf)) }],
  mutate: mutateDatagram,
  run: ({ steps }, observed) => {
    const incoming = new IncomingContext({ cipher: CIPHER, masterKeys: MASTER_KEYS, epochPackets: EPOCH_PACKETS });
    const accepted = new Set<string>();
    for (const { bytes } of steps) {
      const opened = incoming.unprotect(bytes);
      if (!opened) continue;
      const wire = textOf(bytes);
      hold(GENUINE.has(wire), 'a forgery is not accepted');
      hold(!accepted.has(wire), 'a replay is not accepted');
      hold(GENUINE.get(wire) === textOf(opened), 'a packet is opened as it was');
      accepted.add(wire);
    }
    observed.count('accepted', accepted.size);
    for (const [cause, count] of Object.entries(incoming.refused)) observed.count(cause, count);
  },
};

const SESSION = '0123456789abcdef';
const KEY = new Uint8Array(16).fill(3);
const NONCE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 0);
const SECRET = new Uint8Array(16).fill(9);
const ADDRESS = '192.0.2.1:5000';
const STARTED: Instant = instant(seconds(30));

const prover = (): AddressProver => new AddressProver({ session: SESSION, key: KEY, nonce: NONCE, mac });
const verifier = (): AddressVerifier =>
  new AddressVerifier({ secret: SECRET, mac, keyOf: (session) => (session === SESSION ? KEY : undefined) });

/** Datagrams of a proof, in both directions, and the only ones that prove an address. */
function exchange(): { readonly datagrams: readonly Uint8Array[]; readonly proof: string } {
  const [asks, answers] = [prover(), verifier()];
  const datagrams: Uint8Array[] = [];
  let proof = '';
  for (let sent = asks.pollTransmit(STARTED); sent; sent = asks.pollTransmit(STARTED)) {
    datagrams.push(sent);
    const { reply, proved } = answers.handle(STARTED, ADDRESS, readProof(sent)!);
    if (proved !== undefined) proof = proofIn(readProof(sent)!);
    if (reply) {
      datagrams.push(reply);
      asks.handleDatagram(STARTED, reply);
    }
  }
  return { datagrams, proof };
}

/** Proofs of an address, seen by both ends, and probes of the path. */
export const addressProofTarget: FuzzTarget = {
  name: 'address-proof',
  seeds: () => {
    const probe = serializeProbe({ number: 3, bytes: 64 });
    return [{ choices: 0, steps: stepsOf([...exchange().datagrams, probe, answerToProbe(probe, () => 5)!]) }];
  },
  mutate: (bytes, chance) =>
    chance.oneIn(2)
      ? mutateDatagram(bytes, chance)
      : chance.oneIn(2)
        ? mutateBytes(bytes, chance)
        : withNumber(bytes, 12 + 4 * chance.below(16), { width: 4, value: chance.uint32() }),
  run: ({ steps }, observed) => {
    const { proof } = exchange();
    const [answers, asks] = [verifier(), prover()];
    let [now, sent] = [STARTED, 0];
    const output = { onDatagram: () => void sent++, onEvent: ({ kind }: { kind: string }) => observed.see(kind) };
    drain(asks, now, output);
    for (const { pause, bytes } of steps) {
      const next = later(now, milliseconds(pause));
      driveUntil(asks, { start: now, end: next, output });
      now = next;
      asks.handleDatagram(now, bytes);
      drain(asks, now, output);
      const message = readProof(bytes);
      observed.see(`message ${message?.kind}`);
      if (message) {
        const { reply, proved } = answers.handle(now, ADDRESS, message);
        observed.see(`reply:${reply !== undefined} proved:${proved !== undefined}`);
        hold((reply?.length ?? 0) <= bytes.length, 'an answer is no longer than the request');
        hold(proved === undefined || proofIn(message) === proof, 'an address is proved by its own proof only');
      }
      const answer = answerToProbe(bytes);
      hold((answer?.length ?? 0) <= bytes.length + 8, 'an answer to a probe is short');
      observed.see(`probe:${answer !== undefined} answer:${parseProbeAnswer(bytes) !== undefined}`);
    }
    // A hello and a proof in each interval of a second, a few more at first, and a proof for each challenge.
    const passed = (now - STARTED) / 1_000_000;
    hold(sent <= steps.length + 2 * passed + 12, 'a prover sends at its intervals');
  },
};

/** The bytes that a proof proves with: the SSRC and the padding of its packet are not part of it. */
function proofIn(message: AddressProofMessage): string {
  return message.kind === 'proof' ? textOf(message.nonce) + textOf(message.proof) : '';
}
