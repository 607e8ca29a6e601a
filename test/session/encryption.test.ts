import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { makeIdentity } from '../../io/crypto/identity.ts';
import { receive as receiveStream } from '../../session/run/receive.ts';
import { clientFailure } from '../../session/stream/client-texts.ts';
import { serve as serveStream } from '../../session/stream/serve.ts';
import { parseLink } from '../../sim/link/link-parse.ts';
import { frame, HELLO, listening, Peer, until } from '../io/net/control-peers.ts';
import { madeUpUnits, receive, serve, sourceOf } from '../loopback-session.ts';
import { differences } from '../simulated-session.ts';

const identity = makeIdentity();
const { fingerprint } = identity;
const passphrase = 'correct horse';
const other = '00'.repeat(32);

describe('a stream with a certificate', () => {
  test.each(['udp', 'tcp'] as const)(
    'arrives whole over %s at a receiver that knows its fingerprint',
    async (transport) => {
      const { server, sent } = await serve(madeUpUnits(60), { identity });
      const { received, client, run } = receive(server.port, { transport, fingerprint });
      expect(await run).toBe('end-of-stream');
      expect(differences(received, sent)).toEqual([]);
      expect(client.transports).toEqual([transport]);
      expect(client.hostFaults.notAuthentic ?? 0).toBe(0);
    },
  );

  test('is refused to a receiver that does not encrypt, of this or an older release, in one line', async () => {
    const { server } = await serve(madeUpUnits(60), { identity });
    await expect(receive(server.port).run).rejects.toThrow(
      /^the sender refused: this stream is encrypted: use the URL that its sender prints/,
    );
    const old = await Peer.to(server.port);
    old.socket.write(frame(HELLO));
    await until('it is refused', () => old.received.length === 1);
    expect(old.received[0]).toMatchObject({ kind: 'refused' });
  });

  test('is not taken from a sender with another certificate', async () => {
    const { server } = await serve(madeUpUnits(60), { identity });
    const { run, received } = receive(server.port, { fingerprint: other });
    await expect(run).rejects.toThrow(/is not trusted: its certificate is not the one whose fingerprint was given/);
    expect(received).toEqual([]);
  });

  test('is not taken from a sender without TLS', async () => {
    const { server } = await serve(madeUpUnits(60));
    for (const proof of [{ fingerprint }, { passphrase }]) {
      await expect(receive(server.port, proof).run).rejects.toThrow(/is not trusted: it answers without encryption/);
    }
  });

  test('rejects TLS 1.2, HTTP and another protocol in TLS', async () => {
    const { server } = await serve(madeUpUnits(60), { identity });
    const closed = (socket: { once(event: string, listener: (error?: Error) => void): unknown }) =>
      new Promise<string>((resolve) => {
        socket.once('error', (error) => resolve(String((error as NodeJS.ErrnoException).code)));
        socket.once('close', () => resolve('closed'));
      });
    const { port } = server;
    const tls = { port, host: '127.0.0.1', rejectUnauthorized: false };
    expect(await closed(connectTls({ ...tls, maxVersion: 'TLSv1.2', ALPNProtocols: ['dropframe/1'] }))).toMatch(
      /VERSION/,
    );
    expect(await closed(connectTls({ ...tls, ALPNProtocols: ['h2'] }))).toMatch(/NO_APPLICATION_PROTOCOL/);
    expect(await closed(connectTls(tls))).toMatch(/closed|ECONNRESET/);
    const web = connectPlain(port, '127.0.0.1');
    web.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    web.resume();
    expect(await closed(web)).toMatch(/closed|ECONNRESET/);
  });

  // Late requests begin with a packet of the type that carries address proofs.
  test.each([
    ['encrypted', { identity }, { fingerprint }],
    ['in the clear', {}, {}],
  ])('gets late packets again when asked, %s', async (_, protection, proof) => {
    const { server } = await serve(madeUpUnits(200), protection);
    const link = parseLink('loss=10% delay=60ms seed=3');
    const { run, client } = receive(server.port, { ...proof, recovery: 'nack', latencyMs: 60, link });
    expect(await run).toBe('end-of-stream');
    expect(client.sessions[0]!.frames.mended).toBeGreaterThan(20);
    expect(server.status.datagramsForeign).toBe(0);
  });

  test('has separate keys for each receiver', async () => {
    const { server, sent } = await serve(madeUpUnits(60), { identity });
    const both = [receive(server.port, { fingerprint }), receive(server.port, { fingerprint })];
    await Promise.all(both.map(({ run }) => run));
    expect(sent).toHaveLength(60);
    for (const { client } of both) expect(client.hostFaults.notAuthentic).toBe(0);
  });

  test('is joined again when its sender comes back with the same certificate, and not with another', async () => {
    const first = await serve(madeUpUnits(400), { identity });
    const { port } = first.server;
    const { received, waited, run } = receive(port, { fingerprint, timeoutMs: 4_000 });
    await until('frames arrive', () => received.length > 10);
    await first.server.close('restart');
    const impostor = await serve(madeUpUnits(400), { identity: makeIdentity(), port });
    await until('the impostor is noticed', () => waited.some((cause) => /certificate/.test(cause)));
    await impostor.server.close('over');
    const before = received.length;
    await serve(madeUpUnits(40), { identity, port });
    expect(await run).toBe('end-of-stream');
    expect(received.length).toBeGreaterThan(before);
  });
});

describe('a stream with a passphrase', () => {
  test.each(['udp', 'tcp'] as const)('arrives whole over %s at a receiver that knows it', async (transport) => {
    const { server, sent } = await serve(madeUpUnits(60), { identity, passphrase });
    const { received, run } = receive(server.port, { transport, passphrase });
    expect(await run).toBe('end-of-stream');
    expect(differences(received, sent)).toEqual([]);
  });

  test('is not given to a receiver with another passphrase, which learns nothing of it', async () => {
    const { server, sent } = await serve(madeUpUnits(60), { identity, passphrase });
    const { run, welcomed } = receive(server.port, { passphrase: 'correct house' });
    await expect(run).rejects.toThrow(/is not trusted: it does not have this passphrase/);
    expect(welcomed).toEqual([]);
    expect(sent).toEqual([]);
  });

  test('is refused to a receiver with only the fingerprint, or nothing', async () => {
    const { server } = await serve(madeUpUnits(60), { identity, passphrase });
    for (const proof of [{ fingerprint }, {}]) {
      await expect(receive(server.port, proof).run).rejects.toThrow(/refused: this stream needs its passphrase/);
    }
  });

  test('is not taken from a sender that has none, or that sends its welcome without the proof', async () => {
    const { server } = await serve(madeUpUnits(60), { identity });
    await expect(receive(server.port, { passphrase }).run).rejects.toThrow(/refused: this sender has no passphrase/);
  });

  test('allows a network few guesses', async () => {
    const { server } = await serve(madeUpUnits(60), { identity, passphrase });
    const causes: string[] = [];
    for (let guess = 0; guess < 22; guess++) {
      const { run } = receive(server.port, { passphrase: `a wrong guess ${guess}` });
      causes.push(await run.then(String, (error: Error) => error.message));
    }
    expect(causes.slice(0, 20).every((cause) => /does not have this passphrase/.test(cause))).toBe(true);
    expect(causes.at(-1)).toMatch(/refused: too many failed attempts: retry/);
  });
});

describe('a peer that stalls the handshake', () => {
  test('is closed after the time for a first message, and does not hold up others', async () => {
    const { secureContext } = await import('../../io/net/secure-channel.ts');
    const secure = { context: secureContext(identity), fingerprint };
    const { server, heard } = await listening({ secure, firstMessageTimeoutMs: 300 });
    const silent = await Peer.to(server.port);
    const half = await Peer.to(server.port);
    half.socket.write(Uint8Array.of(0x16, 3, 1, 2, 0));
    await until('both are closed', () => silent.closed && half.closed);
    expect(heard).toEqual([]);
    expect(server.counters.refused).toBe(2);
  });
});

describe('the interface for programs', () => {
  test('makes a certificate where other machines can connect, and none on loopback', async () => {
    const open = await serveStream(sourceOf(madeUpUnits(30)), { host: '0.0.0.0' });
    expect(open.url).toMatch(/^dropframe:\/\/[^?]+\?fingerprint=[0-9a-f]{64}$/);
    const local = await serveStream(sourceOf(madeUpUnits(30)));
    expect([local.url.includes('?'), local.fingerprint]).toEqual([false, undefined]);
    const declined = await serveStream(sourceOf(madeUpUnits(30)), { host: '0.0.0.0', insecure: true });
    expect(declined.fingerprint).toBeUndefined();
    const url = `dropframe://127.0.0.1:${open.port}?fingerprint=${open.fingerprint}`;
    const summary = await receiveStream(url, { latencyMs: 300 }).ended;
    expect(summary).toMatchObject({ encrypted: true, notAuthentic: 0, frames: { total: 30 } });
    await Promise.all([open.close(), local.close(), declined.close()]);
  });

  test('refuses contradictions in one line', async () => {
    const source = sourceOf(madeUpUnits(1));
    await expect(serveStream(source, { insecure: true, passphrase })).rejects.toThrow(/--insecure cannot be combined/);
    await expect(serveStream(source, { certificate: 'a.pem' })).rejects.toThrow(/give both --certificate and --key/);
    await expect(serveStream(source, { passphrase: 'short' })).rejects.toThrow(/at least 8 characters/);
    expect(() => receiveStream('dropframe://127.0.0.1?fingerprint=12')).toThrow(/expected 64 hexadecimal digits/);
  });
});

test('the texts about trust are one line', () => {
  const peer = { host: '127.0.0.1', port: 7_000, timeoutMs: 1_000 };
  expect(clientFailure({ kind: 'untrusted', reason: 'it is another' }, peer).message).not.toContain('\n');
});
