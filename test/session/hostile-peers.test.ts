import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { serializeAddressProof } from '../../protocol/control/address-proof.ts';
import { serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { frame, HELLO, Peer, until } from '../io/net/control-peers.ts';
import { madeUpUnits, receive, serve } from '../loopback-session.ts';
import { differences } from '../simulated-session.ts';
import { DatagramPeer, joined, proof } from './datagram-peer.ts';

const NONCE = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
/** Long enough for a stream to have begun if it would. */
const A_WHILE_MS = 250;

describe('the address proof', () => {
  test('whoever proves its address gets the stream there', async () => {
    const { server } = await serve(madeUpUnits(100));
    const { welcome } = await joined(server.port);
    const peer = await DatagramPeer.to(server.port);
    const challenge = await peer.challenged(welcome, NONCE);
    await peer.send(proof(welcome, welcome.key, { challenge, nonce: NONCE }));
    await until('media comes', () => peer.media > 10);
    expect(peer.proofs.map(({ kind }) => kind)).toEqual(['challenge', 'confirmed']);
    expect(server.status.receivers[0]?.destination).toBe(`127.0.0.1:${peer.port}`);
  });

  test('an address that only said hello gets a challenge and no media, and no more bytes than it sent', async () => {
    const { server } = await serve(madeUpUnits(100));
    const { welcome } = await joined(server.port);
    const peer = await DatagramPeer.to(server.port);
    for (let count = 0; count < 20; count++) await peer.challenged(welcome, NONCE);
    await pause(A_WHILE_MS);
    expect(peer.media).toBe(0);
    expect(peer.receivedBytes).toBeLessThanOrEqual(peer.sentBytes);
    expect(server.status.receivers[0]?.destination).toBeUndefined();
  });

  test('a proof with another key is none', async () => {
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

  test('a proof that another address repeats moves the stream to nobody', async () => {
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
    await until('media goes on coming', () => owner.media > before + 10);
    expect(thief.received).toEqual([]);
  });

  test('a session that was never welcomed gets not even an answer: the port is no mirror', async () => {
    const { server } = await serve(madeUpUnits(10));
    const peer = await DatagramPeer.to(server.port);
    await peer.send(serializeAddressProof({ kind: 'hello', session: '00'.repeat(8), nonce: NONCE }));
    await until('it was counted', () => server.status.datagramsForeign === 1);
    expect(peer.received).toEqual([]);
  });

  test('a receiver that moves and proves itself takes its stream along', async () => {
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
    await until('media goes on coming', () => after.media > 60);
    expect(before.media).toBeLessThanOrEqual(media + 30);
  });
});

/** What anybody can send to a port. */
const hostile = (): Uint8Array[] => [
  new Uint8Array(0),
  ...Array.from({ length: 40 }, (_, index) => Uint8Array.from(randomBytes(1 + index * 30))),
  // RTP cut short, RTP of a foreign source, RTP with every bit that promises more set.
  Uint8Array.of(0x80, 96, 0),
  Uint8Array.from([0x80, 96, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0x65]),
  Uint8Array.from([0xbf, 0xff, ...randomBytes(40)]),
  // RTCP: a NACK, a goodbye and a report for nobody in particular; lengths that lie.
  serializeRtcp([
    {
      kind: 'nack',
      senderSsrc: 1,
      mediaSsrc: 2,
      sequenceNumbers: Array.from({ length: 200 }, (_, index) => index * 5),
    },
  ]),
  serializeRtcp([{ kind: 'goodbye', ssrcs: [1, 2, 3], reason: 'go away' }]),
  Uint8Array.of(0x81, 201, 0xff, 0xff, 0, 0, 0, 1),
  Uint8Array.from([0x80, 204, 0, 10, 0, 0, 0, 0, 0x44, 0x46, 0x52, 0x4d, ...randomBytes(32)]),
  // Oversized: as long as UDP allows.
  new Uint8Array(65_000).fill(0x80),
];

describe('datagrams of others', () => {
  test('at the sender’s port are counted, answered by nothing, and felt by no receiver', async () => {
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
    // The kernel may have dropped some of a flood; none was taken for anything.
    expect(server.status.datagramsForeign).toBeGreaterThan(count / 2);
  });

  test('at a receiver’s port never reach the receiver: it hears its sender alone', async () => {
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

  test('from a receiver’s own address are counted and answered within its share, and felt by no other', async () => {
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
        sequenceNumbers: Array.from({ length: 280 * 17 }, (_, index) => (welcome.initialSequence! + index) & 0xffff),
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

describe('connections of others', () => {
  test('garbage, floods and slow starts on the control port are felt by no receiver', async () => {
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
  ])('%s is refused', async (_, message) => {
    const { server } = await serve(madeUpUnits(10));
    const peer = await Peer.to(server.port);
    peer.socket.write(frame(message));
    await until('it is closed', () => peer.closed);
    expect(server.status.receivers).toEqual([]);
  });

  test('nobody attaches to another’s session, nor to one that wants no second connection', async () => {
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

  test('a second hello on one connection ends it', async () => {
    const { server } = await serve(madeUpUnits(10));
    const { control } = await joined(server.port);
    control.socket.write(frame(HELLO));
    await until('it is closed', () => control.closed);
    await until('it is forgotten', () => server.status.receivers.length === 0);
  });

  test('receivers that join and leave in the same breath leave nothing behind', async () => {
    const { server } = await serve(madeUpUnits(10), { receiversMax: 4 });
    for (let count = 0; count < 40; count++) {
      const peer = await Peer.to(server.port);
      peer.socket.end(Buffer.concat([frame(HELLO), frame({ kind: 'goodbye', reason: 'in and out' }), frame(HELLO)]));
      await until('it is closed', () => peer.closed);
    }
    await until('all are forgotten', () => server.status.receivers.length === 0);
  });
});
