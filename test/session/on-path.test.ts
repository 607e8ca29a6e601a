import { describe, expect, test } from 'vitest';
import { makeIdentity } from '../../io/crypto/identity.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { madeUpUnits, receive, serve } from '../loopback-session.ts';
import { seededRandom } from '../seeded-random.ts';
import { differences } from '../simulated-session.ts';
import { type Adversary, adversaryBefore, type Way } from './stream/adversary.ts';

const identity = makeIdentity();
const { fingerprint } = identity;

/** The clear text of the address proof, as its datagrams are not protected. */
const isProof = (datagram: Uint8Array): boolean =>
  datagram[1] === 204 && Buffer.from(datagram.subarray(8, 12)).toString('latin1') === 'DFRM';

/** Forgeries made from a genuine datagram: bits flipped, cut, lengthened, reflected headers, foreign numbers. */
function forgeries(datagram: Buffer, random: () => number): Buffer[] {
  const flipped = Buffer.from(datagram);
  flipped[Math.floor(random() * flipped.length)]! ^= 1 << Math.floor(random() * 8);
  const renumbered = Buffer.from(datagram);
  renumbered.writeUInt16BE((datagram.readUInt16BE(2) + 1) & 0xffff, 2);
  const cut = datagram.subarray(0, Math.floor(random() * datagram.length));
  const longer = Buffer.concat([datagram, Buffer.from([0])]);
  const noise = Buffer.from(Array.from({ length: datagram.length }, () => Math.floor(random() * 256)));
  datagram.copy(noise, 0, 0, Math.min(12, datagram.length));
  return [flipped, renumbered, cut, longer, noise];
}

/** Units whose bytes are unlike any others, so that they are found where they are. */
function noisyUnits(frames: number): AccessUnit[] {
  const random = seededRandom(frames);
  return madeUpUnits(frames).map((unit) => ({
    ...unit,
    parts: unit.parts.map((part) => part.map((byte, at) => (at < 4 ? byte : 1 + Math.floor(random() * 255)))),
  }));
}

const clean = (receiving: ReturnType<typeof receive>) => {
  const { foreign, malformed } = receiving.client.sessions[0]!;
  return { foreign, malformed };
};

/**
 * Differences between the units of a run and those sent, but for frames that the sender withheld: a busy machine drops so many
 * of the attacker's datagrams that the path counts as narrow.
 */
function unlike({ client, received }: ReturnType<typeof receive>, sent: readonly AccessUnit[]): string[] {
  const { framesWithheld } = client.sessions[0]!;
  const times = new Set(received.map(({ timestamp }) => timestamp));
  const offered = framesWithheld === 0 ? sent : sent.filter(({ timestamp }) => times.has(timestamp));
  expect(offered.length + framesWithheld).toBe(sent.length);
  return differences(received, offered);
}

async function attacked(
  options: { readonly transport?: 'udp' | 'tcp'; readonly frames?: number; readonly latencyMs?: number } = {},
) {
  const { server, sent } = await serve(noisyUnits(options.frames ?? 100), { identity });
  const adversary = await adversaryBefore(server.port);
  const start = () =>
    receive(adversary.port, {
      fingerprint,
      latencyMs: options.latencyMs ?? 8_000,
      // Counts up to the first frame that is shown, thus the latency as well.
      timeoutMs: 60_000,
      transport: options.transport ?? 'udp',
    });
  return { server, sent, adversary, start };
}

describe('an on-path attacker of an encrypted stream', () => {
  test('reads nothing of it: no name, no picture, no frame mark, in either channel', async () => {
    for (const transport of ['udp', 'tcp'] as const) {
      const { sent, adversary, start } = await attacked({ transport, frames: 60, latencyMs: 2_000 });
      const { run, received } = start();
      expect(await run).toBe('end-of-stream');
      expect(differences(received, sent)).toEqual([]);
      const all = Buffer.concat(adversary.seen.map(({ bytes }) => bytes));
      const secrets = [
        ...['made-up', 'welcome', 'hello', 'statistics', 'avc1'].map((text) => Buffer.from(text)),
        // Frame marks begin with extension and element head.
        Buffer.from('bede', 'hex'),
        ...sent.flatMap(({ parts }) => parts.map((part) => Buffer.from(part.subarray(4, 20)))),
      ];
      const found = secrets.filter((secret) => secret.length > 8 && all.includes(secret));
      expect(found).toEqual([]);
      expect(secrets.length).toBeGreaterThan(60);
      // Shorter ones may occur by chance in so many bytes, but not in nearly every packet.
      const bede = adversary.seen.filter(
        ({ channel, bytes }) => channel === 'media' && bytes.subarray(12, 14).equals(secrets[5]!),
      );
      expect(bede).toEqual([]);
      expect(all.length).toBeGreaterThan(100_000);
    }
  });

  test('forges, replays, reorders and cuts every datagram: none is accepted, and the stream arrives whole', async () => {
    const { sent, adversary, start } = await attacked();
    const random = seededRandom(16);
    const earlier: Record<Way, Buffer[]> = { 'to-sender': [], 'to-receiver': [] };
    adversary.tamper = (datagram, way) => {
      if (isProof(datagram)) return [datagram];
      const kept = earlier[way];
      kept.push(Buffer.from(datagram));
      const replayed = kept[Math.floor(random() * kept.length)]!;
      const reflected = earlier[way === 'to-sender' ? 'to-receiver' : 'to-sender'].at(-1);
      const made = [...forgeries(datagram, random), ...(kept.length > 1 ? [Buffer.from(replayed)] : [])];
      if (reflected) made.push(Buffer.from(reflected));
      // Before and after the genuine one, which is then itself a replay of nothing.
      return [...made.slice(0, 3), datagram, ...made.slice(3), Buffer.from(datagram)];
    };
    const receiving = start();
    expect(await receiving.run).toBe('end-of-stream');
    expect(receiving.client.sessions).toHaveLength(1);
    expect(unlike(receiving, sent)).toEqual([]);
    // Nothing that was injected has passed the authentication.
    expect(clean(receiving)).toEqual({ foreign: 0, malformed: 0 });
    expect(adversary.injected).toBeGreaterThan(3_000);
    expect(receiving.client.hostFaults.notAuthentic).toBeGreaterThan(2_000);
  });

  test('cannot stop the stream with forged address-proof datagrams', async () => {
    const { sent, adversary, start } = await attacked();
    const random = seededRandom(17);
    adversary.tamper = (datagram) => (isProof(datagram) ? [...forgeries(datagram, random), datagram] : [datagram]);
    const receiving = start();
    expect(await receiving.run).toBe('end-of-stream');
    expect(unlike(receiving, sent)).toEqual([]);
  });

  test('flips bits of the control connection: the receiver joins again, and the run does not end', async () => {
    const { adversary, start } = await attacked({ frames: 300, latencyMs: 500 });
    const ways: Way[] = ['to-receiver', 'to-sender'];
    const receiving = start();
    for (const [attempt, way] of ways.entries()) {
      const before = receiving.received.length;
      await reached(receiving, before + 20);
      let armed = true;
      adversary.tamperControl = (bytes, going) => {
        if (armed && going === way) {
          armed = false;
          bytes[bytes.length - 1]! ^= 1;
        }
        return bytes;
      };
      await sessions(receiving, attempt + 2);
      adversary.tamperControl = (bytes) => bytes;
    }
    expect(await receiving.run).toBe('end-of-stream');
    expect(receiving.client.sessions).toHaveLength(3);
  });

  test('cannot impersonate the sender: the receiver notices, and sends it nothing', async () => {
    const impostor = await serve(madeUpUnits(30), { identity: makeIdentity() });
    const { run, received } = receive(impostor.server.port, { fingerprint });
    await expect(run).rejects.toThrow(/its certificate is not the one/);
    expect([received, impostor.sent]).toEqual([[], []]);
  });

  test('gains nothing by relaying the passphrase exchange to the sender', async () => {
    const passphrase = 'correct horse';
    const genuine = await serve(madeUpUnits(30), { identity, passphrase });
    // TLS ends at a man in the middle that does not know the passphrase and must guess.
    const between = await serve(madeUpUnits(30), { identity: makeIdentity(), passphrase: 'a wrong guess' });
    const { run, welcomed } = receive(between.server.port, { passphrase });
    await expect(run).rejects.toThrow(/it does not have this passphrase, or this is a man-in-the-middle attack/);
    expect([welcomed, genuine.sent, between.sent]).toEqual([[], [], []]);
  });
});

describe('joining', () => {
  /** Round trips on the control connection before the first datagram: a flight each way. */
  const roundTrips = async (options: { identity?: typeof identity; passphrase?: string; fingerprint?: string }) => {
    const { identity: own, passphrase, fingerprint: known } = options;
    const { server } = await serve(madeUpUnits(20), { identity: own, passphrase });
    const adversary = await adversaryBefore(server.port);
    await receive(adversary.port, { fingerprint: known, passphrase, latencyMs: 1_000 }).run;
    const ways = adversary.seen.map(({ channel, way }) => (channel === 'media' ? 'media' : way));
    const before = ways.slice(0, ways.indexOf('media'));
    return Math.floor(before.filter((way, at) => way !== before[at - 1]).length / 2);
  };

  test('takes one round trip more with encryption, also with a passphrase', async () => {
    expect(await roundTrips({})).toBe(1);
    expect(await roundTrips({ identity, fingerprint })).toBe(2);
    expect(await roundTrips({ identity, passphrase: 'correct horse' })).toBe(2);
  });
});

describe('an on-path attacker of an unencrypted stream', () => {
  test('reads and replaces pictures, as docs/SECURITY.md states', async () => {
    const { server, sent } = await serve(madeUpUnits(60));
    const adversary: Adversary = await adversaryBefore(server.port);
    adversary.tamper = (datagram, way) => {
      if (way === 'to-receiver' && datagram.length > 200) datagram[datagram.length - 1]! ^= 0xff;
      return [datagram];
    };
    const { run, received } = receive(adversary.port, { latencyMs: 1_000 });
    await run;
    expect(differences(received, sent)).not.toEqual([]);
    expect(Buffer.concat(adversary.seen.map(({ bytes }) => bytes)).includes('made-up')).toBe(true);
  });
});

const reached = async (receiving: ReturnType<typeof receive>, frames: number) => {
  while (receiving.received.length < frames) await new Promise((resolve) => setTimeout(resolve, 20));
};
const sessions = async (receiving: ReturnType<typeof receive>, count: number) => {
  while (receiving.client.sessions.length < count) await new Promise((resolve) => setTimeout(resolve, 20));
};
