import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { Log } from '../../io/os/log.ts';
import { openMediaSource } from '../../io/sources/open-source.ts';
import { RTP_HEADER_BYTES } from '../../protocol/rtp/rtp-packet.ts';
import { RistClient } from '../../session/rist/rist-client.ts';
import { TransportStreamSender } from '../../session/rtp/transport-stream-sender.ts';
import { ReceiveRun } from '../../session/run/receive-run.ts';
import { SAMPLES, temporaryFolder } from '../io/sources/media.ts';
import { optional } from '../optional.ts';
import { PATIENCE, PATIENCE_MS } from '../patience.ts';
import { lossyRelay } from '../session/rist/lossy-relay.ts';
import { decode } from './ffmpeg.ts';
import { freePortPair, isInstalled, start, untilBound } from './programs.ts';

const withRist = optional(
  'ristsender and ristreceiver (rist-tools), and ffmpeg',
  isInstalled('sh', '-c', 'command -v ristsender && command -v ristreceiver') && isInstalled('ffmpeg'),
);

const HOST = '127.0.0.1';
const FILM = join(SAMPLES, 'flash.mp4');
/** Long enough for the stalls of a busy machine. */
const BUFFER_MS = 4_000;
const LOST_EVERY = 20;
const PACKET_BYTES = 188;
/** True for a packet of PID 0x1fff, which readers ignore. */
const isNull = (datagram: Buffer, at: number): boolean => (datagram.readUInt16BE(at + 1) & 0x1fff) === 0x1fff;

withRist(
  'librist receives every packet through losses, and asks for ranges',
  async () => {
    const port = await freePortPair();
    const output = createSocket('udp4');
    onTestFinished(() => void output.close());
    let packets = 0;
    output.on('message', (datagram) => {
      for (let at = 0; at < datagram.length; at += PACKET_BYTES) if (!isNull(datagram, at)) packets++;
    });
    await new Promise<void>((resolve) => output.bind(0, HOST, resolve));
    const receiver = start('ristreceiver', [
      ...['--profile', '0', '--buffer', `${BUFFER_MS}`, '--inputurl', `rist://@${HOST}:${port}`],
      ...['--outputurl', `udp://${HOST}:${output.address().port}`],
    ]);
    await untilBound(port + 1);
    const relay = await lossyRelay({ to: port, lostEvery: LOST_EVERY });
    const source = await openMediaSource(FILM, { encode: 'copy', bitrate: 1_000_000, gop: 30, warn: () => {} });
    onTestFinished(() => source.close());
    const sending = new TransportStreamSender({
      ...{ source, host: HOST, port: relay.port, form: 'rist', loop: false },
      onStall: () => {},
    });
    onTestFinished(() => sending.stop());
    await sending.open();
    await sending.run();
    expect(relay.counts.dropped).toBeGreaterThan(0);
    const { bytes, packets: datagrams } = sending.statistics;
    await expect
      .poll(() => packets, { ...PATIENCE, message: receiver.output.stderr })
      .toBe((bytes - datagrams * RTP_HEADER_BYTES) / PACKET_BYTES);
  },
  PATIENCE_MS,
);

withRist(
  'receives every picture that librist sends, through losses',
  async () => {
    const [port, input] = [await freePortPair(), await freePortPair()];
    const relay = await lossyRelay({ to: port, lostEvery: LOST_EVERY });
    const output = join(temporaryFolder(), 'received.h264');
    const run = new ReceiveRun({
      connect: (events) =>
        new RistClient(
          {
            ...{ name: `rist://@${HOST}:${port}`, host: HOST, port, latencyMs: BUFFER_MS, recovery: 'nack' },
            ...{ link: undefined, timeoutMs: 20_000 },
          },
          events,
        ),
      ...{ transport: 'rtp', ipv6: false, latencyMs: BUFFER_MS, recovery: 'nack', link: undefined, play: 'none' },
      ...{ pagePort: undefined, openBrowser: false, output, capture: undefined },
      log: new Log({ level: 'error' }),
    });
    const running = run.run();
    await untilBound(port + 1);
    const sender = start('ristsender', [
      ...['--profile', '0', '--inputurl', `udp://@${HOST}:${input}`, '--outputurl', `rist://${HOST}:${relay.port}`],
    ]);
    await untilBound(input);
    const film = start('ffmpeg', [
      ...['-hide_banner', '-v', 'error', '-re', '-i', FILM, '-c', 'copy', '-f', 'mpegts'],
      `udp://${HOST}:${input}?pkt_size=1316`,
    ]);
    await film.ended;
    await running;
    sender.process.kill('SIGINT');
    const { packets, frames } = run.summary;
    expect(relay.counts.dropped).toBeGreaterThan(0);
    expect(packets.neverArrived).toBe(0);
    expect(packets.recoveredInRound.reduce((sum, count) => sum + count)).toBeGreaterThan(0);
    const decoded = decode(output);
    expect(decoded.complaints).toEqual([]);
    expect(decoded.pictures).toBe(frames.total);
    expect(readFileSync(output).length).toBeGreaterThan(0);
  },
  PATIENCE_MS,
);
