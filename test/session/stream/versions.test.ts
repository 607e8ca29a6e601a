import { createServer, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { codecByName } from '../../../protocol/codec/codecs.ts';
import { parseRtpPacket } from '../../../protocol/rtp/rtp-packet.ts';
import { StreamDeframer } from '../../../protocol/rtp/stream-framing.ts';
import { frame, HELLO, Peer, until } from '../../io/net/control-peers.ts';
import { madeUpUnits, receive, serve, sourceOf } from '../../loopback-session.ts';
import { messagesIn, recording } from '../../recorded/recording.ts';
import { oldReceiverMessage, oldSenderMessage } from '../../recorded/release-0.1.0.ts';

type Message = Record<string, unknown>;

const H264 = codecByName('h264');
const [OLD_HELLO, OLD_WELCOME] = [0, 1].map((turn) => messagesIn(recording('tcp-control')[turn]!.bytes)[0]!) as [
  Message,
  Message,
];
const OLD_END = recording('tcp-control')
  .filter(({ who }) => who === 'sender')
  .flatMap(({ bytes }) => messagesIn(bytes))
  .find(({ kind }) => kind === 'end-of-stream')!;
const FRAMES = OLD_END.frames as number;

/** The media that the recorded sender gave, and `attached` in front of it. */
const [ATTACHED, ...MEDIA] = recording('tcp-media').flatMap(({ who, bytes }) => (who === 'sender' ? [bytes] : []));

/** The pictures in the recording, taken out of it without a receiver. */
function recordedPictures(): Buffer[] {
  const pictures = new Map<number, Uint8Array[]>();
  for (const datagram of new StreamDeframer().push(Buffer.concat(MEDIA))) {
    const packet = parseRtpPacket(datagram);
    if (!packet.ok || packet.value.ssrc !== OLD_WELCOME.ssrc) continue;
    const { timestamp, payload } = packet.value;
    pictures.set(timestamp, [...(pictures.get(timestamp) ?? []), payload]);
  }
  return [...pictures.values()].map((payloads) => {
    const ranges = payloads.map((bytes) => ({ bytes, payloadAt: 0, payloadEnd: bytes.length }));
    const read = H264.depacketize(ranges);
    if (!read.ok) throw new Error(read.malformed);
    return Buffer.concat(read.value.parts);
  });
}

/**
 * A sender that repeats the recorded messages over TCP.
 * @param greeting gives the messages that take the place of its `welcome`.
 */
async function recordedSender(greeting = (welcome: Message): Message[] => [welcome]) {
  const heard: Message[] = [];
  let control: Socket | undefined;
  const server = createServer((socket) => {
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    let media = false;
    socket.on('data', (bytes) => {
      if (media) {
        socket.write(Buffer.concat(MEDIA));
        socket.removeAllListeners('data');
        socket.resume();
        control?.write(frame(OLD_END));
        return;
      }
      const messages = messagesIn(bytes);
      heard.push(...messages);
      for (const { kind } of messages) {
        if (kind === 'attach') {
          media = true;
          socket.write(ATTACHED!);
        } else if (kind === 'hello') {
          control = socket;
          for (const message of greeting(OLD_WELCOME)) socket.write(frame(message));
        }
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return { port: typeof address === 'object' && address ? address.port : 0, heard };
}

describe('release 0.1.0', () => {
  test('as a sender: its whole stream is received, and no message is sent at which it would close the connection', async () => {
    const { port, heard } = await recordedSender();
    const receiving = receive(port, { transport: 'tcp' });
    await expect(receiving.run).resolves.toBe('end-of-stream');
    expect(receiving.received.map(({ parts }) => Buffer.concat(parts))).toEqual(recordedPictures());
    expect(recordedPictures()).toHaveLength(FRAMES);
    await until('the goodbye is there', () => heard.some(({ kind }) => kind === 'goodbye'));
    expect(heard.map((message) => oldReceiverMessage.safeParse(message).success)).toEqual(heard.map(() => true));
  });

  test.each(['udp', 'tcp'] as const)('as a receiver over %s: the welcome is one that it takes', async (transport) => {
    const { server } = await serve(madeUpUnits(5));
    const peer = await Peer.to(server.port);
    peer.socket.write(recording(`${transport}-control`)[0]!.bytes);
    await until('the welcome is there', () => peer.received.length > 0);
    expect(oldSenderMessage.safeParse(peer.received[0])).toMatchObject({ success: true });
    const recorded = messagesIn(recording(`${transport}-control`)[1]!.bytes)[0]!;
    expect(Object.keys(peer.received[0] as Message).sort()).toEqual(Object.keys(recorded).sort());
  });

  test('as a receiver of HEVC: it is refused in one line that says what to do', async () => {
    const source = sourceOf(madeUpUnits(5));
    const { server } = await serve([], {
      source: { ...source, description: { ...source.description, codecName: 'h265', codec: 'hvc1.1.6.L60.90' } },
    });
    const peer = await Peer.to(server.port);
    peer.socket.write(frame(OLD_HELLO));
    await until('the answer is there', () => peer.received.length > 0);
    expect(oldSenderMessage.safeParse(peer.received[0])).toMatchObject({ success: true });
    expect(peer.received[0]).toMatchObject({
      kind: 'refused',
      reason: expect.stringMatching(/^the stream is H265, .*: update it, or send with --encode x264$/),
    });
  });

  test('as a receiver: it gets the whole stream, and takes each message', async () => {
    const units = madeUpUnits(20);
    const { server } = await serve(units);
    const peer = await Peer.to(server.port);
    peer.socket.write(frame(OLD_HELLO));
    await until('the welcome is there', () => peer.received.length > 0);
    const { session, key, ssrc } = peer.received[0] as Message;
    const packets: Uint8Array[] = [];
    const media = await Peer.to(server.port);
    media.socket.removeAllListeners('data');
    let attached = false;
    const deframer = new StreamDeframer();
    media.socket.on('data', (bytes) => {
      if (attached) return void packets.push(...deframer.push(bytes));
      attached = true;
      expect(bytes).toEqual(ATTACHED);
      media.socket.write(new Uint8Array(2));
    });
    media.socket.write(frame({ kind: 'attach', session, key }));
    await until('the end is there', () =>
      peer.received.some((message) => (message as Message).kind === 'end-of-stream'),
    );
    const own = packets.map(parseRtpPacket).filter((packet) => packet.ok && packet.value.ssrc === ssrc);
    const end = peer.received.find((message) => (message as Message).kind === 'end-of-stream') as Message;
    expect(end).toMatchObject({ frames: units.length, packets: own.length });
    expect(peer.received.map((message) => oldSenderMessage.safeParse(message).success)).not.toContain(false);
  });
});

const STREAM = {
  id: 3,
  mediaType: 'video',
  codec: 'h264',
  decoder: 'avc1.42c00a',
  clockRate: 90_000,
  ssrc: OLD_WELCOME.ssrc,
  payloadType: OLD_WELCOME.payloadType,
  retransmission: { ssrc: OLD_WELCOME.retransmissionSsrc, payloadType: OLD_WELCOME.retransmissionPayloadType },
  initialSequence: OLD_WELCOME.initialSequence,
  timestampBase: OLD_WELCOME.timestampBase,
  parameterSets: OLD_WELCOME.parameterSets,
};
const VVC = { ...STREAM, id: 1, codec: 'h266', ssrc: 7, decoder: 'vvc1.1.L51.CQA', tier: 'main' };
const SPEEX = { id: 2, mediaType: 'audio', codec: 'speex', clockRate: 48_000, channels: [1, 2] };

/** Frame marks of the media sent to a receiver with this user agent, in their order: index of the packet and bytes. */
async function marksFor(userAgent: string) {
  const { server } = await serve(madeUpUnits(20));
  const peer = await Peer.to(server.port);
  peer.socket.write(frame({ ...HELLO, transport: 'tcp', userAgent }));
  await until('the welcome is there', () => peer.received.length > 0);
  const { session, key, ssrc } = peer.received[0] as Message;
  const media = await Peer.to(server.port);
  const bytes: Uint8Array[] = [];
  media.socket.removeAllListeners('data');
  media.socket.on('data', (more) => void bytes.push(more));
  media.socket.write(frame({ kind: 'attach', session, key }));
  await until('the connection is attached', () => bytes.length > 0);
  media.socket.write(new Uint8Array(2));
  await until('the end is there', () => peer.received.some((message) => (message as Message).kind === 'end-of-stream'));
  const packets = new StreamDeframer().push(Buffer.concat(bytes).subarray(ATTACHED!.length)).map(parseRtpPacket);
  const marks: { readonly starts: boolean; readonly marker: boolean; readonly bytes: number }[] = [];
  let starts = true;
  for (const packet of packets) {
    if (!packet.ok || packet.value.ssrc !== ssrc) continue;
    const { marker, extension } = packet.value;
    marks.push({ starts, marker, bytes: extension ? extension.data.length : 0 });
    starts = marker;
  }
  return marks;
}

describe('frame marks', () => {
  test('are in each packet for a receiver of control protocol 1.2, in the long form', async () => {
    const marks = await marksFor('dropframe control/1.2');
    expect(marks.length).toBeGreaterThan(60);
    expect(new Set(marks.map(({ bytes }) => bytes))).toEqual(new Set([8]));
  });

  test('are at the edges of frames for one of 1.3, in the short form, and seldom between them', async () => {
    const marks = await marksFor('dropframe control/1.3');
    const [edges, between] = [true, false].map((is) => marks.filter(({ starts, marker }) => (starts || marker) === is));
    expect(new Set(edges!.map(({ bytes }) => bytes))).toEqual(new Set([4]));
    expect(between!.filter(({ bytes }) => bytes === 0).length).toBeGreaterThan(between!.length / 2);
  });
});

describe('an invented newer version', () => {
  test('as a sender: unknown fields and kinds are ignored, and streams of unknown codecs are refused one by one', async () => {
    const { port, heard } = await recordedSender((welcome) => [
      { kind: 'weather', outlook: ['rain'] },
      {
        ...welcome,
        minor: 7,
        ssrc: 1,
        parameterSets: [],
        media: { ...(welcome.media as Message), codec: 'vvc1.1.L51.CQA', hdr: true },
        streams: [VVC, SPEEX, { ...STREAM, layers: 2 }],
        encryption: { suite: 'none' },
      },
      { kind: 'layers', list: [1, 2, 3] },
    ]);
    const receiving = receive(port, { transport: 'tcp' });
    await expect(receiving.run).resolves.toBe('end-of-stream');
    expect(receiving.received).toHaveLength(FRAMES);
    expect(heard.filter(({ kind }) => kind === 'refuse-stream')).toEqual([
      { kind: 'refuse-stream', id: 1, reason: 'video codec h266 is not supported' },
      { kind: 'refuse-stream', id: 2, reason: 'audio codec speex is not supported' },
    ]);
  });

  test('as a sender with no stream that can be received: the run ends with the reason, on both sides', async () => {
    const { port, heard } = await recordedSender((welcome) => [{ ...welcome, minor: 7, streams: [VVC, SPEEX] }]);
    const receiving = receive(port, { transport: 'tcp' });
    await expect(receiving.run).rejects.toThrow('no stream that can be received: video codec h266 is not supported');
    await until('the goodbye is there', () => heard.some(({ kind }) => kind === 'goodbye'));
    expect(heard.at(-1)).toMatchObject({ kind: 'goodbye', reason: expect.stringContaining('h266') });
  });

  test('as a sender of another major version: it is refused with the reason', async () => {
    const { port, heard } = await recordedSender(() => [{ kind: 'welcome', version: 2, sessions: [] }]);
    const receiving = receive(port, { transport: 'tcp', timeoutMs: 3_000 });
    await expect(receiving.run).rejects.toThrow('control protocol version 2 is unsupported (expected 1)');
    expect(heard.at(-1)).toMatchObject({ kind: 'goodbye', reason: expect.stringContaining('version 2') });
  });

  test('as a receiver: unknown fields and kinds are ignored, and it gets a list of streams', async () => {
    const { server } = await serve(madeUpUnits(5));
    const peer = await Peer.to(server.port);
    const hello = { ...HELLO, userAgent: 'dropframe/3.0 control/1.9', codecs: ['h266', 'h264'], bonding: { paths: 2 } };
    peer.socket.write(Buffer.concat([frame({ kind: 'weather' }), frame(hello), frame({ kind: 'layers', wanted: 2 })]));
    await until('the welcome is there', () => peer.received.length > 0);
    const welcome = peer.received[0] as Message;
    expect(welcome).toMatchObject({ kind: 'welcome', version: 1, minor: 3, parameterSets: [] });
    const { ssrc, payloadType, timestampBase } = welcome;
    expect(welcome.streams).toMatchObject([
      { id: 0, mediaType: 'video', codec: 'h264', clockRate: 90_000, ssrc, payloadType, timestampBase },
    ]);
    peer.socket.write(frame({ kind: 'request-keyframe' }));
    await until('the answer is there', () => peer.received.length > 1);
    expect(peer.received[1]).toEqual({ kind: 'keyframe', inMs: null });
  });

  test('as a receiver that refuses the video: it is sent none', async () => {
    const { server } = await serve(madeUpUnits(5));
    const peer = await Peer.to(server.port);
    peer.socket.write(frame({ ...HELLO, transport: 'tcp', userAgent: 'control/1.1' }));
    await until('the welcome is there', () => peer.received.length > 0);
    const { session, key } = peer.received[0] as Message;
    peer.socket.write(frame({ kind: 'refuse-stream', id: 0, reason: 'no decoder for it' }));
    peer.socket.write(frame({ kind: 'request-keyframe' }));
    await until('the refusal has been read', () => peer.received.length > 1);
    const media = await Peer.to(server.port);
    media.socket.write(frame({ kind: 'attach', session, key }));
    await until('the connection is attached', () => media.received.length > 0);
    media.socket.write(new Uint8Array(2));
    const other = receive(server.port);
    await expect(other.run).resolves.toBe('end-of-stream');
    expect(other.received).toHaveLength(5);
    const end = () => peer.received.find((message) => (message as Message).kind === 'end-of-stream');
    await until('the end is there', () => end() !== undefined);
    expect(end()).toMatchObject({ frames: 0, packets: 0 });
  });

  test.each([
    [
      'another major version',
      frame({ kind: 'hello', version: 2, wishes: {} }),
      'version 2 is unsupported (expected 1)',
    ],
    ['another framing', Uint8Array.of(0x44, 0x46, 2, 0, 0, 0, 0, 1), 'unsupported framing version (expected 1)'],
    ['an unknown recovery', frame({ ...HELLO, recovery: 'raptor' }), 'recovery invalid_value'],
    ['an unknown transport', frame({ ...HELLO, transport: 'quic' }), 'transport invalid_value'],
  ])('as a receiver with %s: it is refused with the reason', async (_, bytes, reason) => {
    const { server } = await serve(madeUpUnits(5));
    const peer = await Peer.to(server.port);
    peer.socket.write(bytes);
    await until('the connection is closed', () => peer.closed);
    expect(peer.received).toEqual([{ kind: 'refused', reason: expect.stringContaining(reason) }]);
    expect(server.status.receivers).toEqual([]);
  });
});
