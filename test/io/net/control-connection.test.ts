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
  test('that cuts a message at any byte is read like one that does not', async () => {
    const { peer, heard } = await pair();
    const bytes = Buffer.concat([frame(HELLO), frame(PLAY)]);
    for (const byte of bytes) {
      peer.socket.write(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
    await until('both messages are there', () => heard.messages.length === 2);
    expect(heard.messages).toEqual([HELLO, PLAY]);
  });

  test('may hold many messages in one read', async () => {
    const { peer, heard } = await pair();
    const many = Array.from({ length: 500 }, () => frame(PLAY));
    peer.socket.write(Buffer.concat([frame(HELLO), ...many]));
    await until('all messages are there', () => heard.messages.length === 501);
    expect(heard.closed).toBe(false);
  });

  test('ignores messages of a kind that it does not know', async () => {
    const { peer, heard } = await pair();
    peer.socket.write(Buffer.concat([frame({ kind: 'reboot' }), frame(HELLO), frame({ kind: 'weather', rain: [1] })]));
    peer.socket.write(frame(PLAY));
    await until('the messages are there', () => heard.messages.length === 2);
    expect(heard.messages).toEqual([HELLO, PLAY]);
    expect(heard.closed).toBe(false);
  });

  test('keep-alives are heard and not passed on', async () => {
    const { peer, heard } = await pair();
    peer.socket.write(Buffer.concat([frame(KEEP_ALIVE), frame(HELLO), frame(KEEP_ALIVE)]));
    await until('the message is there', () => heard.messages.length > 0);
    expect(heard.messages).toEqual([HELLO]);
  });
});

describe('what is refused, and why', () => {
  const header = (bytes: number) => {
    const head = Buffer.from([0x44, 0x46, 1, 0, 0, 0, 0, 0]);
    head.writeUInt32BE(bytes, 4);
    return head;
  };
  const NO_MESSAGE = 'it sent what is no control message: ';
  const NOT_UNDERSTOOD = 'it sent a control message that is not understood: ';

  test.each([
    ['an empty body', header(0), `${NO_MESSAGE}empty-body`],
    ['a body over the limit', header(CONTROL_BODY_BYTES_MAX + 1), `${NO_MESSAGE}body-over-limit`],
    ['a body of four gigabytes', header(0xffff_ffff), `${NO_MESSAGE}body-over-limit`],
    ['another protocol', Buffer.from('GET / HTTP/1.1\r\n\r\n'), `${NO_MESSAGE}not-the-control-protocol`],
    ['another version', Buffer.from([0x44, 0x46, 2]), `${NO_MESSAGE}version`],
    ['no JSON', frame('{"kind":'), `${NOT_UNDERSTOOD}not-json`],
    ['a message without a kind', frame({ play: 1 }), /^it sent a control message that is not understood: message/],
    [
      'a field out of range',
      frame({ ...HELLO, latencyMs: -1 }),
      /^it sent a control message that is not understood: message/,
    ],
    ['what only a sender says', frame({ kind: 'attached' }), /^it sent a control message that is not understood/],
    [
      'a body that is no UTF-8',
      Buffer.concat([header(2), Buffer.from([0xc3, 0x28])]),
      'it sent a control message that is no UTF-8',
    ],
  ])('%s', async (_, bytes, cause) => {
    const { peer, heard } = await pair();
    peer.socket.write(bytes);
    await until('the connection is closed', () => heard.closed && peer.closed);
    if (cause instanceof RegExp) expect(heard.cause).toMatch(cause);
    else expect(heard.cause).toBe(cause);
    expect(heard.messages).toEqual([]);
  });

  test('a body over the limit is refused at its header, before a byte of it is there', async () => {
    const { peer, heard } = await pair();
    peer.socket.write(header(CONTROL_BODY_BYTES_MAX + 1));
    await until('the connection is closed', () => heard.closed);
    expect(heard.pending.socket.bytesRead).toBe(8);
  });

  test('nothing behind what a peer was cut off for is heard', async () => {
    const { peer, heard } = await pair();
    peer.socket.write(Buffer.concat([frame(HELLO), frame({ play: 1 }), frame(PLAY)]));
    await until('the connection is closed', () => heard.closed);
    expect(heard.messages).toEqual([HELLO]);
  });

  test('bytes at random', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const { peer, heard } = await pair();
      peer.socket.write(Uint8Array.from({ length: 300 }, (_, index) => (index * 167 + seed * 59 + 1) & 0xff));
      await until('the connection is closed', () => heard.closed);
      expect(heard.messages).toEqual([]);
    }
  });
});

describe('peers that go', () => {
  test('one that stalls half-way through a message holds its own connection only', async () => {
    const { server, heard } = await listening();
    const stalled = await Peer.to(server.port);
    stalled.socket.write(frame(HELLO).subarray(0, 30));
    const lively = await Peer.to(server.port);
    lively.socket.write(frame(HELLO));
    await until('the other is heard', () => heard[1]?.messages.length === 1);
    expect(heard[0]?.messages).toEqual([]);
    expect(heard[0]?.closed).toBe(false);
    stalled.socket.write(frame(HELLO).subarray(30));
    await until('it is heard when it goes on', () => heard[0]?.messages.length === 1);
  });

  test('one that has finished speaking is heard, and hears our last words', async () => {
    const { peer, heard } = await pair();
    heard.connection.send({ kind: 'goodbye', reason: 'words that were on their way' });
    peer.socket.end(frame(HELLO));
    await until('both sides have closed', () => heard.closed && peer.ended);
    expect(heard.messages).toEqual([HELLO]);
    expect(peer.received).toEqual([{ kind: 'goodbye', reason: 'words that were on their way' }]);
    expect(heard.cause).toBeUndefined();
  });

  test('one that resets the connection is gone, with the network’s own word for it', async () => {
    const { peer, heard } = await pair();
    peer.socket.write(frame(HELLO));
    await until('it was heard', () => heard.messages.length === 1);
    peer.socket.resetAndDestroy();
    await until('the connection is closed', () => heard.closed);
    expect(heard.cause).toMatch(/ECONNRESET/);
  });

  test('one that closes in the middle of a message leaves nothing behind', async () => {
    const { peer, heard } = await pair();
    peer.socket.end(frame(HELLO).subarray(0, 20));
    await until('the connection is closed', () => heard.closed);
    expect(heard.messages).toEqual([]);
  });

  test('one that never reads is cut off before its messages pile up', async () => {
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
    expect(heard.cause).toBe('it does not read its messages');
  });
});

describe('last words', () => {
  test('are sent before the connection closes', async () => {
    const { peer, heard } = await pair();
    await heard.connection.farewell({ kind: 'refused', reason: 'full' });
    expect(peer.received).toEqual([{ kind: 'refused', reason: 'full' }]);
    expect(peer.ended).toBe(true);
  });

  test('wait for a peer that does not close for half a second, and no longer', async () => {
    const { peer, heard } = await pair({ stubborn: true });
    // Half-open: this peer goes on as if it had not heard.
    await heard.connection.farewell({ kind: 'goodbye', reason: 'stopped' });
    expect(heard.pending.socket.destroyed).toBe(true);
    expect(peer.received).toEqual([{ kind: 'goodbye', reason: 'stopped' }]);
  });

  test('are not followed by anything', async () => {
    const { peer, heard } = await pair();
    const gone = heard.connection.farewell({ kind: 'goodbye', reason: 'stopped' });
    heard.connection.send({ kind: 'keep-alive' });
    await gone;
    heard.connection.send({ kind: 'keep-alive' });
    await until('the peer has heard it', () => peer.ended);
    expect(peer.received).toEqual([{ kind: 'goodbye', reason: 'stopped' }]);
  });
});

test('a connection that is detached is the caller’s from then on', async () => {
  const { peer, heard } = await pair();
  const socket = heard.connection.detach();
  const chunks: Buffer[] = [];
  socket.on('data', (bytes) => chunks.push(bytes));
  peer.socket.write('no control message at all');
  await until('the bytes are there', () => Buffer.concat(chunks).length === 25);
  expect([heard.closed, heard.messages]).toEqual([false, []]);
  heard.connection.send({ kind: 'keep-alive' });
  socket.end('bye');
  await until('the peer has heard the end', () => peer.ended);
  expect(peer.received).toEqual([]);
});
