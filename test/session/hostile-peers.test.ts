import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { serializeAddressProof } from '../../protocol/control/address-proof.ts';
import { serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { wireSequence } from '../../protocol/rtp/sequence.ts';
import { frame, HELLO, Peer, until } from '../io/net/control-peers.ts';
import { madeUpUnits, receive, serve } from '../loopback-session.ts';
import { differences } from '../simulated-session.ts';
import { DatagramPeer, joined, proof } from './datagram-peer.ts';

const NONCE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
/** Long enough for a stream to start if it were to. */
const A_WHILE_MS = 250;

describe('the address proof', () => {
  test('sends the stream to an address that has been proved', async () => {
    const { server } = await serve(madeUpUnits(100));
    const { welcome } = await joined(server.port);
    const peer = await DatagramPeer.to(server.port);
    const challenge = await peer.challenged(welcome, NONCE);
    await peer.send(proof(welcome, welcome.key, { challenge, nonce: NONCE }));
    await until('media comes', () => peer.media > 10);
    expect(peer.proofs.map(({ kind }) => kind)).toEqual(['challenge', 'confirmed']);
    expect(server.status.receivers[0]?.destination).toBe(`127.0.0.1:${peer.port}`);
  });

  test('sends a challenge, no media, and no more bytes than received to an address that sent only a hello', async () => {
    const { server } = await serve(madeUpUnits(100));
    const { welcome } = await joined(server.port);
    const peer = await DatagramPeer.to(server.port);
    for (let count = 0; count < 20; count++) await peer.challenged(welcome, NONCE);
    await pause(A_WHILE_MS);
    expect(peer.media).toBe(0);
    expect(peer.receivedBytes).toBeLessThanOrEqual(peer.sentBytes);
    expect(server.status.receivers[0]?.destination).toBeUndefined();
  });

  test('rejects a proof with another key', async () => {
    const { server } = await serve(madeUpUnits(100));
    const { welcome } = await joined(server.port);
    const peer = await DatagramPeer.to(server.port);
    const challenge = await peer.challenged(welcome, NONCE);
    const { datagramsForeign } = server.status;
    await peer.send(proof(welcome, '00'.repeat(16), { challenge, nonce: NONCE }));
    await until('it was counted', () => server.status.datagramsForeign === datagramsForeign + 1);
    await pause(A_WHILE_MS);
    expect([peer.media, peer.proofs.length]).toEqual([0, 1]);
  });

  test('does not move the stream when another address replays a proof', async () => {
    const { server } = await serve(madeUpUnits(200));
    const { welcome } = await joined(server.port);
    const owner = await DatagramPeer.to(server.port);
    const challenge = await owner.challenged(welcome, NONCE);
    const proved = proof(welcome, welcome.key, { challenge, nonce: NONCE });
    const thief = await DatagramPeer.to(server.port);
    await thief.send(proved);
    await pause(A_WHILE_MS);
    expect(thief.received).toEqual([]);
    await owner.send(proved);
    await until('media comes', () => owner.media > 10);
    for (let count = 0; count < 10; count++) await thief.send(proved);
    const before = owner.media;
    await until('media keeps arriving', () => owner.media > before + 10);
    expect(thief.received).toEqual([]);
  });

  test('does not answer for a session without a welcome, so that the port reflects nothing', async () => {
    const { server } = await serve(madeUpUnits(10));
    const peer = await DatagramPeer.to(server.port);
    await peer.send(serializeAddressProof({ kind: 'hello', session: '00'.repeat(8), nonce: NONCE }));
    await until('it was counted', () => server.status.datagramsForeign === 1);
    expect(peer.received).toEqual([]);
  });

  test('moves the stream with a receiver that proves its new address', async () => {
    const { server } = await serve(madeUpUnits(300));
    const { welcome } = await joined(server.port);
    const prove = async (peer: DatagramPeer) => {
      const challenge = await peer.challenged(welcome, NONCE);
      await peer.send(proof(welcome, welcome.key, { challenge, nonce: NONCE }));
      await until('media comes', () => peer.media > 10);
    };
    const before = await DatagramPeer.to(server.port);
    await prove(before);
    const after = await DatagramPeer.to(server.port);
    await prove(after);
    const { media } = before;
    await until('media keeps arriving', () => after.media > 60);
    expect(before.media).toBeLessThanOrEqual(media + 30);
  });
});

/** Datagrams that anyone can send to a port. */
const hostile = (): Uint8Array[] => [
  new Uint8Array(0),
  ...Array.from({ length: 40 }, (_, index) => Uint8Array.from(randomBytes(1 + index * 30))),
  // Truncated RTP, RTP of a foreign source, RTP with all optional parts announced.
  Uint8Array.of(0x80, 96, 0),
  Uint8Array.from([0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0x65]),
  Uint8Array.from([0xbf, 0xff, ...randomBytes(40)]),
  // RTCP: NACK, BYE and report for other sources; wrong lengths.
  serializeRtcp([
    {
      kind: 'nack',
      senderSsrc: 1,
      mediaSsrc: 2,
      sequenceNumbers: Array.from({ length: 200 }, (_, index) => wireSequence(index * 5)),
    },
  ]),
  serializeRtcp([{ kind: 'goodbye', ssrcs: [1, 2, 3], reason: 'go away' }]),
  Uint8Array.of(0x81, 201, 0xff, 0xff, 0, 0, 0, 1),
  Uint8Array.from([0x80, 204, 0, 10, 0, 0, 0, 0, 0x44, 0x46, 0x52, 0x4d, ...randomBytes(32)]),
  // Oversized: as long as UDP allows.
  new Uint8Array(65_000).fill(0x80),
];

describe('datagrams from other hosts', () => {
  test('are counted at the sender’s port, not answered, and do not disturb receivers', async () => {
    const { server, sent } = await serve(madeUpUnits(80));
    const { received, run } = receive(server.port);
    await until('the stream runs', () => sent.length > 3);
    const stranger = await DatagramPeer.to(server.port);
    let count = 0;
    while (sent.length < 75) {
      for (const datagram of hostile()) {
        await stranger.send(datagram);
        count++;
      }
      await pause(20);
    }
    expect(await run).toBe('end-of-stream');
    expect(differences(received, sent)).toEqual([]);
    expect(stranger.received).toEqual([]);
    // The kernel may have dropped a part of the flood; none was accepted.
    expect(server.status.datagramsForeign).toBeGreaterThan(count / 2);
  });

  test('do not reach a receiver, which accepts its sender only', async () => {
    const { server, sent } = await serve(madeUpUnits(80));
    const { client, received, run } = receive(server.port);
    await until('the stream runs', () => sent.length > 3);
    const port = Number(server.status.receivers[0]?.destination?.split(':').at(-1));
    const stranger = await DatagramPeer.to(port);
    while (sent.length < 75) {
      for (const datagram of hostile()) await stranger.send(datagram);
      await pause(20);
    }
    expect(await run).toBe('end-of-stream');
    expect(differences(received, sent)).toEqual([]);
    expect(client.sessions[0]).toMatchObject({ foreign: 0, malformed: 0 });
  });

  test('are counted and answered within a receiver’s share when they come from its address, and disturb no other', async () => {
    const { server, sent } = await serve(madeUpUnits(80));
    const good = receive(server.port);
    const { welcome } = await joined(server.port);
    const bad = await DatagramPeer.to(server.port);
    const challenge = await bad.challenged(welcome, NONCE);
    await bad.send(proof(welcome, welcome.key, { challenge, nonce: NONCE }));
    await until('media comes', () => bad.media > 5);
    const everything = serializeRtcp([
      {
        kind: 'nack',
        senderSsrc: 1,
        mediaSsrc: welcome.ssrc,
        sequenceNumbers: Array.from({ length: 280 * 17 }, (_, index) =>
          wireSequence((welcome.initialSequence! + index) & 0xffff),
        ),
      },
    ]);
    while (sent.length < 75) {
      for (const datagram of [...hostile(), everything, everything]) await bad.send(datagram);
      await pause(20);
    }
    expect(await good.run).toBe('end-of-stream');
    expect(differences(good.received, sent.slice(-good.received.length))).toEqual([]);
    const statistics = server.status.receivers.find(({ id }) => id === welcome.session)?.statistics;
    expect(statistics?.malformed).toBeGreaterThan(100);
    expect(statistics?.retransmissionBytes).toBeLessThanOrEqual(256_000 + statistics!.bytes / 2);
  });
});

describe('connections from other hosts', () => {
  test('do not disturb receivers with garbage, floods and slow starts on the control port', async () => {
    const { server, sent } = await serve(madeUpUnits(100));
    const { received, run } = receive(server.port);
    await until('the stream runs', () => sent.length > 3);
    const open: Promise<void>[] = [];
    for (let count = 0; count < 300; count++) {
      open.push(
        Peer.to(server.port).then(
          (peer) => void peer.socket.write(count % 3 === 0 ? randomBytes(500) : frame(HELLO).subarray(0, count % 60)),
          () => {},
        ),
      );
      if (count % 20 === 0) await pause(5);
    }
    await Promise.all(open);
    expect(await run).toBe('end-of-stream');
    expect(differences(received, sent)).toEqual([]);
  });

  test.each([
    ['attach to no session', { kind: 'attach', session: '00'.repeat(8), key: '00'.repeat(16) }],
    ['play without hello', { kind: 'play' }],
    ['a goodbye first', { kind: 'goodbye', reason: '' }],
  ])('are refused for %s', async (_, message) => {
    const { server } = await serve(madeUpUnits(10));
    const peer = await Peer.to(server.port);
    peer.socket.write(frame(message));
    await until('it is closed', () => peer.closed);
    expect(server.status.receivers).toEqual([]);
  });

  test('cannot attach to the session of another receiver, or to one without a second connection', async () => {
    const { server } = await serve(madeUpUnits(10));
    const { welcome, control } = await joined(server.port);
    for (const key of ['00'.repeat(16), welcome.key]) {
      const thief = await Peer.to(server.port);
      thief.socket.write(frame({ kind: 'attach', session: welcome.session, key }));
      await until('it is closed', () => thief.closed);
    }
    expect(control.closed).toBe(false);
    expect(server.status.receivers).toHaveLength(1);
  });

  test('are closed on a second hello', async () => {
    const { server } = await serve(madeUpUnits(10));
    const { control } = await joined(server.port);
    control.socket.write(frame(HELLO));
    await until('it is closed', () => control.closed);
    await until('it is removed', () => server.status.receivers.length === 0);
  });

  test('leave nothing behind when they join and leave at once', async () => {
    const { server } = await serve(madeUpUnits(10), { receiversMax: 4 });
    for (let count = 0; count < 40; count++) {
      const peer = await Peer.to(server.port);
      peer.socket.end(Buffer.concat([frame(HELLO), frame({ kind: 'goodbye', reason: 'in and out' }), frame(HELLO)]));
      await until('it is closed', () => peer.closed);
    }
    await until('all are removed', () => server.status.receivers.length === 0);
  });
});
