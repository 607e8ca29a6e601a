import { expect, test } from 'vitest';
import { serializeAddressProof } from '../../protocol/control/address-proof.ts';
import { frame, HELLO, Peer, until } from '../io/net/control-peers.ts';
import { madeUpUnits, receive, serve } from '../loopback-session.ts';
import { DatagramPeer, joined, proof } from './datagram-peer.ts';

const NONCE = Uint8Array.of(1, 1, 2, 3, 5, 8, 13, 21);

test('a receiver that floods its sender with statistics is cut off', async () => {
  const { server } = await serve(madeUpUnits(10));
  const { control } = await joined(server.port);
  const counts = { frames: 1, framesLost: 1, framesLate: 1, packets: 1, packetsLost: 1, packetsRecovered: 1 };
  const delays = { delayMsP50: null, delayMsP95: null, roundTripMs: null };
  const message = frame({ kind: 'statistics', ...counts, ...delays, padding: 'x'.repeat(60_000) });
  for (let count = 0; count < 4; count++) control.socket.write(message);
  await until('it is cut off', () => control.closed);
  await until('it is forgotten', () => server.status.receivers.length === 0);
});

test('a storm of joins is capped per address, and evicts no active session', async () => {
  const { server } = await serve(madeUpUnits(150), { receiversMax: 4 });
  const served = receive(server.port);
  await until('frames come', () => served.received.length > 0);
  const storm: Peer[] = [];
  const startedAt = performance.now();
  for (let count = 0; count < 300; count++) {
    const peer = await Peer.to(server.port);
    peer.socket.write(frame(HELLO));
    storm.push(peer);
  }
  await until('most of it is over', () => storm.filter(({ closed }) => closed).length > 290);
  // 20 joins a second, after a burst of 64 that may be pending and 4 places.
  const seconds = (performance.now() - startedAt) / 1_000;
  expect(storm.filter(({ received }) => received.length > 0).length).toBeLessThanOrEqual(68 + 20 * seconds);
  expect(await served.run).toBe('end-of-stream');
  expect(served.welcomed.length).toBe(1);
});

test('proofs of one session are checked twenty times a second, and the valid one is found', async () => {
  const { server } = await serve(madeUpUnits(100), { loop: true });
  const { welcome } = await joined(server.port);
  const stranger = await DatagramPeer.to(server.port);
  for (let count = 0; count < 500; count++) {
    await stranger.send(serializeAddressProof({ kind: 'hello', session: welcome.session, nonce: NONCE }));
  }
  const peer = await DatagramPeer.to(server.port);
  const retry = setInterval(() => {
    void peer.send(serializeAddressProof({ kind: 'hello', session: welcome.session, nonce: NONCE }));
  }, 100);
  await until('it was challenged', () => peer.proofs.length > 0);
  clearInterval(retry);
  const message = peer.proofs.find(({ kind }) => kind === 'challenge');
  const challenge = message?.kind === 'challenge' ? message.challenge : new Uint8Array(0);
  await until('media comes', () => {
    if (peer.media === 0) void peer.send(proof(welcome, welcome.key, { challenge, nonce: NONCE }));
    return peer.media > 0;
  });
  expect(stranger.proofs.length).toBeLessThan(400);
});
