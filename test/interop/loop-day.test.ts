import { createSocket } from 'node:dgram';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished } from 'vitest';
import { instant, later, seconds, ticks, ticksToMicroseconds } from '../../protocol/base/units.ts';
import { classifyDatagram } from '../../protocol/rtp/multiplex.ts';
import { wireSequence } from '../../protocol/rtp/sequence.ts';
import { writeSessionDescription } from '../../protocol/sdp.ts';
import { Sender } from '../../sender/sender.ts';
import { senderOptions } from '../../sender/sender-options.ts';
import { describePlainStream, plainStream } from '../../session/rtp/plain-stream.ts';
import { onPath } from '../io/players/virtual-screen.ts';
import { temporaryFolder, withFfmpeg } from '../io/sources/media.ts';
import { optional } from '../optional.ts';
import { INTERVAL, openFilm, PICTURES, packetsOf, picturesAlone, playDay, ROUND, recordDay } from './loop-day.ts';
import { freePortPair, isInstalled, start, untilBound, untilRead } from './programs.ts';

const INTERVAL_MS = INTERVAL / 90;
/** Datagrams of this film that fit into a socket's buffer. */
const BATCH = 50;
/** Root, whom VLC refuses. */
const isRoot = process.getuid?.() === 0;
const withVlc = optional(
  'ffmpeg, VLC and, for root, setpriv',
  isInstalled('ffmpeg') && ['cvlc', ...(isRoot ? ['setpriv'] : [])].every(onPath),
);

/** Fails unless every picture is there, each of them an interval after the one before. */
function expectWholeDay(shown: readonly number[]): void {
  expect(shown.length).toBe(PICTURES);
  const sorted = shown.toSorted((a, b) => a - b);
  expect(new Set(sorted.slice(1).map((at, index) => at - sorted[index]!))).toEqual(new Set([INTERVAL_MS]));
}

describe('24 hours of a loop', () => {
  for (const extension of ['ts', 'mp4', 'mkv']) {
    withFfmpeg(`ffmpeg finds no break in a recording .${extension}`, async () => {
      const folder = temporaryFolder();
      const path = join(folder, `day.${extension}`);
      await recordDay(await openFilm(folder), path);
      const pictures = packetsOf(path, 'v');
      const shown = pictures.map(({ shownAt }) => shownAt).sort((a, b) => a - b);
      expectWholeDay(shown);
      // ffprobe knows no decode time of the first picture in Matroska.
      const steps = pictures.slice(2).map(({ decodedAt }, index) => decodedAt - pictures[index + 1]!.decodedAt);
      expect([...new Set(steps)]).toEqual([INTERVAL_MS]);
      // The first sound of each round is as far from its first picture as in the first round.
      const sounds = packetsOf(path, 'a').map(({ shownAt }) => shownAt);
      const firsts = sounds.filter((at, index) => index === 0 || at - sounds[index - 1]! > INTERVAL_MS);
      const apart = firsts.map((at, round) => at - shown[round * ROUND]!);
      expect(apart.length).toBe(PICTURES / ROUND);
      expect(Math.max(...apart) - Math.min(...apart)).toBeLessThanOrEqual(1);
    });
  }

  for (const extension of ['mp4', 'mkv']) {
    withVlc(`VLC reads every picture of a recording .${extension} at its time`, async () => {
      const folder = temporaryFolder();
      const path = join(folder, `day.${extension}`);
      await recordDay(await openFilm(folder), path);
      const home = join(folder, 'vlc');
      mkdirSync(home);
      chmodSync(home, 0o777);
      chmodSync(folder, 0o755);
      const copy = join(home, 'copy.mkv');
      const user = isRoot ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
      const output = ['--no-sout-audio', '--sout', `#std{access=file,mux=mkv,dst=${copy}}`];
      const vlc = ['cvlc', '-I', 'dummy', '--no-interact', '--play-and-exit', path, ...output, 'vlc://quit'];
      const { ended } = start('env', [`HOME=${home}`, ...user, ...vlc]);
      expect((await ended).code).toBe(0);
      expectWholeDay(packetsOf(copy, 'v').map(({ shownAt }) => shownAt));
    });
  }

  withFfmpeg('ffmpeg receives every picture by RTP across wraps of sequence numbers and timestamps', async () => {
    const folder = temporaryFolder();
    const film = await openFilm(folder);
    const initialSequence = wireSequence(60_000);
    const parameters = { ...plainStream({ codecName: 'h264', datagramBytesMax: 1_200 }), initialSequence };
    const port = await freePortPair();
    const { parameterSets } = film.description;
    const described = describePlainStream(parameters, { port, parameterSets });
    const sdp = join(folder, 'day.sdp');
    writeFileSync(sdp, writeSessionDescription({ host: '127.0.0.1', name: 'day', ...described, others: [] }));
    const { media, goodbye } = await packetsOfDay(new Sender(senderOptions(parameters)), film);
    const ffmpeg = start('ffmpeg', [
      ...['-hide_banner', '-v', 'warning', '-protocol_whitelist', 'file,udp,rtp', '-localaddr', '127.0.0.1', '-i', sdp],
      ...['-fps_mode', 'passthrough', '-enc_time_base', '1:90000', '-f', 'framecrc', '-'],
    ]);
    await untilBound(port);
    const socket = createSocket('udp4');
    onTestFinished(() => void socket.close());
    const send = (datagram: Uint8Array, to: number) =>
      new Promise<unknown>((resolve) => socket.send(datagram, to, '127.0.0.1', resolve));
    for (const [index, packet] of media.entries()) {
      await send(packet, port);
      if ((index + 1) % BATCH === 0) await untilRead(port);
    }
    await untilRead(port);
    await send(goodbye, port + 1);
    const { stdout, stderr } = await ffmpeg.ended;
    expect(stderr).not.toMatch(/missed|error|corrupt|concealing/i);
    const lines = stdout.split('\n').filter((line) => /^\d/.test(line));
    expect(lines.length).toBe(PICTURES);
    // Without decode times, ffmpeg has to guess the order of the first pictures.
    const times = lines.slice(ROUND).map((line) => Number(line.split(',')[2]));
    expect(new Set(times.slice(1).map((at, index) => at - times[index]!))).toEqual(new Set([INTERVAL]));
  });
});

/** Packets of the day's pictures, and the last datagram of RTCP, which contains BYE. */
async function packetsOfDay(sender: Sender, film: Awaited<ReturnType<typeof openFilm>>) {
  const media: Uint8Array[] = [];
  let goodbye = new Uint8Array(0);
  const collect = (decodeAt: number, act: (at: ReturnType<typeof instant>) => void) => {
    const at = later(instant(seconds(10)), ticksToMicroseconds(ticks(decodeAt)));
    sender.handleTimeout(at);
    act(at);
    for (let each = sender.pollTransmit(at); each; each = sender.pollTransmit(at)) {
      if (classifyDatagram(each) === 'rtp') media.push(each.slice());
      else goodbye = each.slice();
    }
    while (sender.pollEvent());
  };
  await playDay(picturesAlone(film), (unit) => collect(unit.decodeTimestamp, (at) => sender.send(at, unit)));
  collect((PICTURES + 1) * INTERVAL, () => sender.finish());
  return { media, goodbye };
}
