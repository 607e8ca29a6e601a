import { connect } from 'node:net';
import { onTestFinished, vi } from 'vitest';
import {
  headerOf,
  interleaved,
  type RtspHeader,
  type RtspResponse,
  serializeRtsp,
} from '../../../protocol/rtsp/rtsp-message.ts';
import { RtspReader } from '../../../protocol/rtsp/rtsp-reader.ts';
import { PATIENCE } from '../../patience.ts';

/** A player made of a socket: it sends what a test wants, and keeps what comes. */
export async function player(port: number, path = 'film') {
  const socket = connect({ host: '127.0.0.1', port });
  onTestFinished(() => void socket.destroy());
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const reader = new RtspReader();
  const responses: RtspResponse[] = [];
  const packets: { readonly channel: number; readonly payload: Uint8Array }[] = [];
  let closed = false;
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  socket.on('data', (bytes: Buffer) => {
    for (const item of reader.push(bytes)) {
      if (item.kind === 'response') responses.push(item);
      else if (item.kind === 'interleaved') packets.push({ ...item, payload: Uint8Array.from(item.payload) });
    }
  });
  let sequence = 0;
  const url = `rtsp://127.0.0.1:${port}/${path}`;
  const answer = async (count: number): Promise<RtspResponse> => {
    await vi.waitFor(() => {
      if (responses.length < count) throw new Error(`${responses.length} of ${count} answers`);
    }, PATIENCE);
    return responses[count - 1]!;
  };
  return {
    socket,
    url,
    responses,
    packets,
    get closed() {
      return closed;
    },
    write: (bytes: string | Uint8Array) => void socket.write(bytes),
    sendRtcp: (channel: number, packet: Uint8Array) => void socket.write(interleaved(channel, packet)),
    answer,
    async ask(method: string, uri = url, headers: readonly RtspHeader[] = [], body = new Uint8Array(0)) {
      sequence++;
      const count = responses.length + 1;
      const numbered: RtspHeader[] = [['CSeq', String(sequence)], ...headers];
      socket.write(serializeRtsp({ kind: 'request', method, uri, headers: numbered, body }));
      return await answer(count);
    },
  };
}

export type Player = Awaited<ReturnType<typeof player>>;

export const sessionOf = (response: RtspResponse): string => headerOf(response, 'session')!.split(';')[0]!;

/** Sets up the first track interleaved. @returns the session. */
export async function setUp(own: Player, transport = 'RTP/AVP/TCP;unicast;interleaved=0-1', track = 0) {
  const response = await own.ask('SETUP', `${own.url}/trackID=${track}`, [['Transport', transport]]);
  return { response, id: response.status === 200 ? sessionOf(response) : '' };
}
