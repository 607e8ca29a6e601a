import { expect, onTestFinished, test, vi } from 'vitest';
import { makeIdentity } from '../../../io/crypto/identity.ts';
import { DatagramSocket } from '../../../io/net/datagram-socket.ts';
import { RECOVERIES } from '../../../protocol/control/recovery.ts';
import { madeUpUnits, receive, serve } from '../../loopback-session.ts';
import { differences } from '../../simulated-session.ts';

const identity = makeIdentity();

// One system call sends a run of datagrams of the agreed length: if it were not exactly that of full media packets,
// each datagram would take a call of its own, noticeable only in the CPU time.
test.each(RECOVERIES.flatMap((recovery) => [[recovery, false] as const, [recovery, true] as const]))(
  'full media packets have the agreed length with %s, encrypted: %s',
  async (recovery, encrypted) => {
    const send = vi.spyOn(DatagramSocket.prototype, 'send');
    onTestFinished(() => send.mockRestore());
    const { server, sent } = await serve(madeUpUnits(50), encrypted ? { identity } : {});
    const { fingerprint } = identity;
    const { received, run } = receive(server.port, { recovery, latencyMs: 3_000, ...(encrypted && { fingerprint }) });
    await run;
    expect(differences(received, sent)).toEqual([]);
    const media = send.mock.calls.filter(([, , lengths]) => lengths !== undefined);
    const lengths = media.flatMap(([datagrams, , agreed]) => datagrams.map(({ length }) => length - agreed!.fullBytes));
    // Packets are shorter until the path is known to carry full ones. Of each frame of 3,000 bytes one packet is full, of each key frame of 25,000 all but a few.
    expect(lengths.filter((more) => more === 0).length).toBeGreaterThanOrEqual(50);
    expect(Math.max(...media.map(([, , agreed]) => agreed!.bytesMax))).toBe(1_200);
  },
);
