import { cpuUsage } from 'node:process';
import { srtpCipher } from '../io/crypto/srtp-cipher.ts';
import { serializeRtcp } from '../protocol/rtcp/rtcp.ts';
import { serializeRtpPacket } from '../protocol/rtp/rtp-packet.ts';
import { wireSequence, wireTimestamp } from '../protocol/rtp/sequence.ts';
import { IncomingContext } from '../protocol/srtp/incoming-context.ts';
import { OutgoingContext } from '../protocol/srtp/outgoing-context.ts';
import { sessionMasterKeys } from '../protocol/srtp/srtp-keys.ts';
import { mac } from '../session/stream/identifiers.ts';
import { RandomStream } from '../sim/random.ts';
import type { BenchPart } from './part.ts';
import { textTable } from './table.ts';

const FORGERIES = 10_000_000;
const SSRC = 0x2a2b_2c2d;
/** Genuine packets in turn between the forgeries, so that the windows move on. */
const GENUINE_EVERY = 100;

/** Ways to make a forgery of a genuine datagram, with what was sent before it. */
const KINDS = ['bit flipped', 'tag changed', 'cut', 'longer', 'renumbered', 'other SSRC', 'noise', 'replayed'] as const;

/** Forged SRTP and SRTCP datagrams against the contexts that a receiver has: how many are accepted. */
export const forgeries: BenchPart = async ({ quick, progress }) => {
  const count = quick ? FORGERIES / 100 : FORGERIES;
  const stream = new RandomStream(16, 'forgeries');
  let draws = 0;
  const below: Below = (bound) => stream.below(draws++, bound);
  const masterKeys = sessionMasterKeys(mac, new Uint8Array(32).fill(16), 'to-receiver');
  const cipher = srtpCipher();
  const [outgoing, incoming] = [
    new OutgoingContext({ cipher, masterKeys }),
    new IncomingContext({ cipher, masterKeys }),
  ];
  const tried = KINDS.map((kind) => ({ kind, tried: 0, accepted: 0 }));
  let sequence = 0;
  let genuineRefused = 0;
  let wire = new Uint8Array(0);
  let before = new Uint8Array(0);
  const from = cpuUsage();
  for (let index = 0; index < count; index++) {
    if (index % GENUINE_EVERY === 0) {
      before = wire;
      wire = Uint8Array.from(outgoing.protect(genuine(sequence++, below)));
      if (!incoming.unprotect(wire)) genuineRefused++;
      if (index % 1_000_000 === 0) progress(`forgeries: ${index / 1e6} of ${count / 1e6} million`);
    }
    const which = index % KINDS.length;
    const forged = forge(KINDS[which]!, wire, before, below);
    tried[which]!.tried++;
    if (incoming.unprotect(forged)) tried[which]!.accepted++;
  }
  const { user, system } = cpuUsage(from);
  const rows = tried.map(({ kind, tried: made, accepted }) => [kind, made.toLocaleString('en'), String(accepted)]);
  const text = [
    `${count.toLocaleString('en')} forgeries of ${sequence.toLocaleString('en')} genuine SRTP and SRTCP datagrams, of which ` +
      `${genuineRefused} were refused; ${((user + system) / count).toFixed(2)} µs of CPU time each, with making them.`,
    '',
    textTable(['forgery', 'tried', 'accepted'], rows),
  ].join('\n');
  return { text, figures: { count, genuine: sequence, genuineRefused, tried, refused: incoming.refused } };
};

/** Draws an integer below a bound. */
type Below = (bound: number) => number;

function genuine(sequence: number, below: Below): Uint8Array {
  if (sequence % 10 === 9) return serializeRtcp([{ kind: 'goodbye', ssrcs: [SSRC], reason: `number ${sequence}` }]);
  return serializeRtpPacket({
    marker: false,
    payloadType: 96,
    sequenceNumber: wireSequence(sequence & 0xffff),
    timestamp: wireTimestamp((sequence * 3_000) >>> 0),
    ssrc: SSRC,
    csrcs: [],
    extension: { profile: 0xbede, data: new Uint8Array(8).fill(sequence) },
    payload: new Uint8Array(1 + below(1_150)).fill(sequence),
  });
}

function forge(kind: (typeof KINDS)[number], wire: Uint8Array, before: Uint8Array, below: Below): Uint8Array {
  const copy = Uint8Array.from(wire);
  switch (kind) {
    case 'bit flipped':
      copy[below(copy.length)]! ^= 1 << below(8);
      return copy;
    case 'tag changed':
      for (let at = copy.length - 20; at < copy.length - 4; at++) copy[at] = below(256);
      return copy;
    case 'cut':
      return copy.subarray(0, below(copy.length));
    case 'longer': {
      const longer = new Uint8Array(copy.length + 1 + below(8));
      longer.set(copy);
      return longer;
    }
    case 'renumbered':
      copy[2] = below(256);
      copy[3] = (copy[3]! + 1 + below(255)) & 0xff;
      return copy;
    case 'other SSRC':
      copy[8] = (copy[8]! + 1 + below(255)) & 0xff;
      copy[4] = (copy[4]! + 1 + below(255)) & 0xff;
      return copy;
    case 'noise':
      for (let at = 12; at < copy.length; at++) copy[at] = below(256);
      return copy;
    case 'replayed':
      return below(2) === 0 || before.length === 0 ? copy : Uint8Array.from(before);
    default:
      return kind satisfies never;
  }
}
