/**
 * Players of one kind that decode nothing: `player KIND URL COUNT` joins COUNT times, and prints `ready` when all have got a picture. After
 * SIGUSR2 the figures begin anew, after SIGINT they are printed.
 */
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { argv, exit, stdout } from 'node:process';
import { headerOf, interleaved, type RtspHeader, serializeRtsp } from '../protocol/rtsp/rtsp-message.ts';
import { RtspReader } from '../protocol/rtsp/rtsp-reader.ts';
import { onLoopback, reach, report } from './plain-receiver.ts';

const [, , kind = '', url = '', countText = '1'] = argv;
const LATENCY_MS = 120;
const TICKS_PER_MS = 90;
const PICTURES = 96;

/** Counts the pictures of one receiver. */
class Meter {
  #transits: number[] = [];
  readonly #sequences = new Set<number>();
  #highest: number | undefined;
  #lowest = 0;
  #clock: number | undefined;
  onFirst: () => void = () => {};

  take(packet: Buffer): void {
    const sequence = packet.readUInt16BE(2);
    const ahead = this.#highest === undefined ? 0 : ((sequence - this.#highest) << 16) >> 16;
    const extended = (this.#highest ?? sequence) + ahead;
    if (this.#highest === undefined) this.#lowest = extended;
    this.#highest = Math.max(this.#highest ?? extended, extended);
    if (this.#sequences.has(extended)) return;
    this.#sequences.add(extended);
    if ((packet[1]! & 0x80) === 0) return;
    const timestamp = packet.readUInt32BE(4);
    this.#clock = this.#clock === undefined ? timestamp : this.#clock + ((timestamp - this.#clock) | 0);
    this.#transits.push(performance.now() - this.#clock / TICKS_PER_MS);
    this.onFirst();
  }

  reset(): void {
    this.#transits = [];
    this.#sequences.clear();
    this.#highest = undefined;
  }

  /** Highest sequence number, extended by the roll-overs since the figures began. */
  get highest(): number {
    return this.#highest ?? 0;
  }

  get figures() {
    const fastest = this.#transits.reduce((least, each) => Math.min(least, each), Number.POSITIVE_INFINITY);
    const inTime = this.#transits.filter((each) => each - fastest <= LATENCY_MS).length;
    const sent = this.#highest === undefined ? 0 : this.#highest - this.#lowest + 1;
    return { frames: this.#transits.length, inTime, lost: Math.max(0, sent - this.#sequences.size) };
  }
}

async function joinByRtsp(meter: Meter): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const reader = new RtspReader();
  let answered: (session: string | undefined) => void = () => {};
  socket.on('data', (bytes: Buffer) => {
    for (const item of reader.push(bytes)) {
      if (item.kind === 'response') answered(headerOf(item, 'session')?.split(';')[0]);
      else if (item.kind === 'interleaved' && item.channel === 0) meter.take(Buffer.from(item.payload));
    }
  });
  let sequence = 0;
  const ask = (method: string, uri: string, headers: readonly RtspHeader[] = []) =>
    new Promise<string | undefined>((resolve) => {
      answered = resolve;
      const numbered: RtspHeader[] = [['CSeq', String(++sequence)], ...headers];
      socket.write(serializeRtsp({ kind: 'request', method, uri, headers: numbered, body: new Uint8Array(0) }));
    });
  await ask('DESCRIBE', url, [['Accept', 'application/sdp']]);
  const session = await ask('SETUP', `${url}/trackID=0`, [['Transport', 'RTP/AVP/TCP;unicast;interleaved=0-1']]);
  await ask('PLAY', url, [['Session', session ?? '']]);
  const report = Buffer.from([0x80, 201, 0, 1, 0, 0, 0, 1]);
  setInterval(() => socket.write(interleaved(1, report)), 5_000);
}

/** Tracks of all players: the library crashes when one is collected. */
const kept: unknown[] = [];

async function joinByWhep(meter: Meter): Promise<void> {
  // The library has no types of its own for what is used here.
  const library = createRequire(import.meta.url)('node-datachannel');
  const options = { iceServers: [], bindAddress: '127.0.0.1', disableAutoNegotiation: true, forceMediaTransport: true };
  const connection = new library.PeerConnection('player', options);
  const video = new library.Video('0', 'RecvOnly');
  video.addH264Codec(PICTURES, 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f');
  const track = connection.addTrack(video);
  kept.push(track, connection);
  track.onMessage((packet: Buffer) => {
    if ((packet[1]! & 0x7f) === PICTURES) meter.take(packet);
  });
  // A browser reports every second.
  const report = Buffer.from([0x80, 201, 0, 1, 0, 0, 0, 1]);
  setInterval(() => track.isOpen() && track.sendMessageBinary(report), 1_000);
  connection.setLocalDescription('offer');
  const { sdp } = connection.localDescription();
  const response = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: sdp });
  if (response.status !== 201) throw new Error(`WHEP: ${response.status} ${await response.text()}`);
  connection.setRemoteDescription(await response.text(), 'answer');
}

async function joinAsOurs(meter: Meter): Promise<void> {
  const receiver = await reach(onLoopback(Number(url.slice(url.lastIndexOf(':') + 1))));
  const { media, welcome } = receiver;
  setInterval(() => report(receiver, 1, meter.highest), 1_000);
  media.on('message', (datagram) => {
    if (datagram.length >= 12 && datagram.readUInt32BE(8) === welcome.ssrc) meter.take(datagram);
  });
}

const join = { RTSP: joinByRtsp, WHEP: joinByWhep, dropframe: joinAsOurs }[kind]!;
const meters: Meter[] = [];
process.on('SIGUSR2', () => {
  for (const meter of meters) meter.reset();
});
process.once('SIGINT', () => {
  stdout.write(`${JSON.stringify(meters.map(({ figures }) => figures))}\n`, () => exit(0));
});
for (let index = 0; index < Number(countText); index++) {
  const meter = new Meter();
  meters.push(meter);
  const begun = new Promise<void>((resolve) => {
    meter.onFirst = resolve;
  });
  await join(meter);
  await begun;
}
stdout.write('ready\n');
