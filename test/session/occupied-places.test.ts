import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { frame, HELLO, Peer, until } from '../io/net/control-peers.ts';
import { madeUpUnits, receive, serve } from '../loopback-session.ts';
import { differences } from '../simulated-session.ts';
import { DatagramPeer, joined, proof } from './datagram-peer.ts';

const NONCE = Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1);
const TCP_HELLO = { ...HELLO, transport: 'tcp', recovery: 'none' };

describe('places', () => {
  test('64 receivers that sent only a hello leave room for one that proves its address', async () => {
    const { server, sent } = await serve(madeUpUnits(50), { receiversMax: 8 });
    const idle = await Promise.all(Array.from({ length: 64 }, () => Peer.to(server.port)));
    for (const { socket } of idle) socket.write(frame(HELLO));
    await until('the places are taken', () => server.status.receivers.length === 8);
    const { run, received } = receive(server.port);
    expect(await run).toBe('end-of-stream');
    expect(differences(received, sent)).toEqual([]);
  });

  test('a receiver that was evicted stays in the totals while its connection closes', async () => {
    const { server } = await serve(madeUpUnits(50), { receiversMax: 1 });
    const totals: number[] = [];
    for (let count = 1; count <= 3; count++) {
      const peer = await Peer.to(server.port, { stubborn: true });
      peer.socket.write(frame(HELLO));
      await until('it is welcome', () => {
        totals.push(server.totals.receivers);
        return peer.received.length > 0;
      });
      expect(server.totals.receivers).toBe(count);
    }
    expect(totals).toEqual(totals.toSorted((a, b) => a - b));
  });

  test('receivers that are reachable are not evicted by hellos', async () => {
    const { server, sent } = await serve(madeUpUnits(100), { receiversMax: 2 });
    const reached = receive(server.port);
    await until('frames come', () => reached.received.length > 0);
    for (let count = 0; count < 20; count++) (await Peer.to(server.port)).socket.write(frame(HELLO));
    expect(await reached.run).toBe('end-of-stream');
    expect(reached.welcomed.length).toBe(1);
    expect(differences(reached.received, sent)).toEqual([]);
  });
});

test('a session has one media connection: 255 more are closed, and the port stays open', async () => {
  const { server, sent } = await serve(madeUpUnits(100), { receiversMax: 4 });
  const control = await Peer.to(server.port);
  control.socket.write(frame(TCP_HELLO));
  await until('it is welcome', () => control.received.length > 0);
  const { session, key } = control.received[0] as { session: string; key: string };
  const attach = frame({ kind: 'attach', session, key });
  const first = await Peer.to(server.port);
  first.socket.write(attach);
  await until('it is attached', () => first.received.length > 0);
  const more: Peer[] = [];
  for (let count = 0; count < 255; count++) {
    const peer = await Peer.to(server.port);
    peer.socket.write(attach);
    more.push(peer);
  }
  await until('they are closed', () => more.every(({ closed }) => closed));
  expect(first.closed).toBe(false);
  const { run, received } = receive(server.port, { transport: 'tcp' });
  expect(await run).toBe('end-of-stream');
  expect(differences(received, sent)).toEqual([]);
});

test('media stops after some seconds without a report, and resumes after a new proof', async () => {
  const { server } = await serve(madeUpUnits(100), { loop: true });
  const { welcome } = await joined(server.port);
  const peer = await DatagramPeer.to(server.port);
  const prove = async () => {
    const challenge = await peer.challenged(welcome, NONCE);
    await peer.send(proof(welcome, welcome.key, { challenge, nonce: NONCE }));
  };
  await prove();
  await until('media comes', () => peer.media > 10);
  await until('its address counts no longer', () => server.status.receivers[0]?.destination === undefined, 20_000);
  await pause(200);
  const stoppedAt = peer.media;
  // Reports of a former address bring nothing back.
  const block = { fractionLost: 0, cumulativeLost: 0, highestSequence: 0, jitter: 0, lastSenderReport: 0 };
  const reports = [{ ...block, ssrc: welcome.ssrc, delaySinceLastSenderReport: 0 }];
  await peer.send(serializeRtcp([{ kind: 'receiver-report', ssrc: 5, reports }]));
  await pause(500);
  expect(peer.media).toBe(stoppedAt);
  await prove();
  await until('media comes again', () => peer.media > stoppedAt + 10);
});
