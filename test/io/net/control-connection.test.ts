import { describe, expect, test } from 'vitest';
import { CONTROL_BODY_BYTES_MAX } from '../../../protocol/control/control-framing.ts';
import { frame, HELLO, listening, Peer, until } from './control-peers.ts';

const PLAY = { kind: 'play' } as const;
const KEEP_ALIVE = { kind: 'keep-alive' } as const;

async function pair(options: { stubborn?: boolean } = {}) {
  const { server, heard } = await listening();
  const peer = await Peer.to(server.port, options);
  await until('the server has accepted', () => heard.length === 1);
  return { peer, heard: heard[0]! };
}

describe('a stream of bytes', () => {
  test('is read alike wherever a message is split', async () => {
    const { peer, heard } = await pair();
    const bytes = Buffer.concat([frame(HELLO), frame(PLAY)]);
    for (const byte of bytes) {
      peer.socket.write(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
    await until('both messages have arrived', () => heard.messages.length === 2);
    expect(heard.messages).toEqual([HELLO, PLAY]);
  });

  test('may contain many messages in one read', async () => {
    const { peer, heard } = await pair();
    const many = Array.from({ length: 500 }, () => frame(PLAY));
    peer.socket.write(Buffer.concat([frame(HELLO), ...many]));
    await until('all messages have arrived', () => heard.messages.length === 501);
    expect(heard.closed).toBe(false);
  });

  test('ignores messages of an unknown kind', async () => {
    const { peer, heard } = await pair();
    peer.socket.write(Buffer.concat([frame({ kind: 'reboot' }), frame(HELLO), frame({ kind: 'weather', rain: [1] })]));
    peer.socket.write(frame(PLAY));
    await until('the messages have arrived', () => heard.messages.length === 2);
    expect(heard.messages).toEqual([HELLO, PLAY]);
    expect(heard.closed).toBe(false);
  });

  test('drops keep-alives after reading them', async () => {
    const { peer, heard } = await pair();
    peer.socket.write(Buffer.concat([frame(KEEP_ALIVE), frame(HELLO), frame(KEEP_ALIVE)]));
    await until('the message has arrived', () => heard.messages.length > 0);
    expect(heard.messages).toEqual([HELLO]);
  });
});

describe('the peer is disconnected, with the cause, for', () => {
  const header = (bytes: number) => {
    const head = Buffer.from([0x44, 0x46, 1, 0, 0, 0, 0, 0]);
    head.writeUInt32BE(bytes, 4);
    return head;
  };
  const NO_MESSAGE = 'the peer sent an invalid control message: ';
  const NOT_UNDERSTOOD = 'the peer sent an unknown control message: ';

  test.each([
    ['an empty body', header(0), `${NO_MESSAGE}empty-body`],
    ['a body over the limit', header(CONTROL_BODY_BYTES_MAX + 1), `${NO_MESSAGE}body-over-limit`],
    ['a body of four gigabytes', header(0xffff_ffff), `${NO_MESSAGE}body-over-limit`],
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n'), `${NO_MESSAGE}not-the-control-protocol`],
    ['another version', Buffer.from([0x44, 0x46, 2]), `${NO_MESSAGE}version`],
    ['no JSON', frame('{"kind":'), `${NOT_UNDERSTOOD}not-json`],
    ['a message without a kind', frame({ play: 1 }), /^the peer sent an unknown control message: message/],
    ['a field out of range', frame({ ...HELLO, latencyMs: -1 }), /^the peer sent an unknown control message: message/],
    ['a message that only a sender sends', frame({ kind: 'attached' }), /^the peer sent an unknown control message/],
    [
      'a body that is not UTF-8',
      Buffer.concat([header(2), Buffer.from([0xc3, 0x28])]),
      'the peer sent a control message that is not UTF-8',
    ],
  ])('%s', async (_, bytes, cause) => {
    const { peer, heard } = await pair();
    peer.socket.write(bytes);
    await until('the connection is closed', () => heard.closed && peer.closed);
    if (cause instanceof RegExp) expect(heard.cause).toMatch(cause);
    else expect(heard.cause).toBe(cause);
    expect(heard.messages).toEqual([]);
  });

  test('a body over the limit at its header, before its first byte', async () => {
    const { peer, heard } = await pair();
    peer.socket.write(header(CONTROL_BODY_BYTES_MAX + 1));
    await until('the connection is closed', () => heard.closed);
    expect(heard.pending.socket.bytesRead).toBe(8);
  });

  test('an invalid message, without reading the messages after it', async () => {
    const { peer, heard } = await pair();
    peer.socket.write(Buffer.concat([frame(HELLO), frame({ play: 1 }), frame(PLAY)]));
    await until('the connection is closed', () => heard.closed);
    expect(heard.messages).toEqual([HELLO]);
  });

  test('random bytes', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const { peer, heard } = await pair();
      peer.socket.write(Uint8Array.from({ length: 300 }, (_, index) => (index * 167 + seed * 59 + 1) & 0xff));
      await until('the connection is closed', () => heard.closed);
      expect(heard.messages).toEqual([]);
    }
  });
});

describe('a peer', () => {
  test('that stalls within a message blocks its own connection only', async () => {
    const { server, heard } = await listening();
    const stalled = await Peer.to(server.port);
    stalled.socket.write(frame(HELLO).subarray(0, 30));
    const lively = await Peer.to(server.port);
    lively.socket.write(frame(HELLO));
    await until('the other message has arrived', () => heard[1]?.messages.length === 1);
    expect(heard[0]?.messages).toEqual([]);
    expect(heard[0]?.closed).toBe(false);
    stalled.socket.write(frame(HELLO).subarray(30));
    await until('the rest of its message has arrived', () => heard[0]?.messages.length === 1);
  });

  test('that has half-closed is read to the end, and receives the last message', async () => {
    const { peer, heard } = await pair();
    heard.connection.send({ kind: 'goodbye', reason: 'words that were on their way' });
    peer.socket.end(frame(HELLO));
    await until('both sides have closed', () => heard.closed && peer.ended);
    expect(heard.messages).toEqual([HELLO]);
    expect(peer.received).toEqual([{ kind: 'goodbye', reason: 'words that were on their way' }]);
    expect(heard.cause).toBeUndefined();
  });

  test('that resets the connection is reported with the network error', async () => {
    const { peer, heard } = await pair();
    peer.socket.write(frame(HELLO));
    await until('its message has arrived', () => heard.messages.length === 1);
    peer.socket.resetAndDestroy();
    await until('the connection is closed', () => heard.closed);
    expect(heard.cause).toMatch(/ECONNRESET/);
  });

  test('that closes within a message leaves nothing behind', async () => {
    const { peer, heard } = await pair();
    peer.socket.end(frame(HELLO).subarray(0, 20));
    await until('the connection is closed', () => heard.closed);
    expect(heard.messages).toEqual([]);
  });

  test('that never reads is disconnected before its messages pile up', async () => {
    const { peer, heard } = await pair();
    peer.socket.pause();
    const reason = 'x'.repeat(200);
    let sent = 0;
    while (!heard.closed && sent < 200_000) {
      for (let count = 0; count < 500; count++) heard.connection.send({ kind: 'goodbye', reason });
      sent += 500;
      expect(heard.pending.socket.writableLength).toBeLessThan(1_100_000);
      await new Promise(setImmediate);
    }
    expect(heard.cause).toBe('the peer does not read its messages');
  });
});

describe('the last message', () => {
  test('is sent before the connection closes', async () => {
    const { peer, heard } = await pair();
    await heard.connection.farewell({ kind: 'refused', reason: 'full' });
    expect(peer.received).toEqual([{ kind: 'refused', reason: 'full' }]);
    expect(peer.ended).toBe(true);
  });

  test('waits half a second for a peer that does not close', async () => {
    const { peer, heard } = await pair({ stubborn: true });
    // Half-open: this peer continues as if it had not received the close.
    await heard.connection.farewell({ kind: 'goodbye', reason: 'stopped' });
    expect(heard.pending.socket.destroyed).toBe(true);
    expect(peer.received).toEqual([{ kind: 'goodbye', reason: 'stopped' }]);
  });

  test('is not followed by another', async () => {
    const { peer, heard } = await pair();
    const gone = heard.connection.farewell({ kind: 'goodbye', reason: 'stopped' });
    heard.connection.send({ kind: 'keep-alive' });
    await gone;
    heard.connection.send({ kind: 'keep-alive' });
    await until('the peer has received the close', () => peer.ended);
    expect(peer.received).toEqual([{ kind: 'goodbye', reason: 'stopped' }]);
  });
});

test('leaves a detached connection to the caller', async () => {
  const { peer, heard } = await pair();
  const socket = heard.connection.detach();
  const chunks: Buffer[] = [];
  socket.on('data', (bytes) => chunks.push(bytes));
  peer.socket.write('not a control message');
  await until('the bytes have arrived', () => Buffer.concat(chunks).length === 21);
  expect([heard.closed, heard.messages]).toEqual([false, []]);
  heard.connection.send({ kind: 'keep-alive' });
  socket.end('bye');
  await until('the peer has received the end', () => peer.ended);
  expect(peer.received).toEqual([]);
});
