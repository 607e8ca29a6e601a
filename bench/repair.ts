import { cpuUsage } from 'node:process';
import { instant, milliseconds, ticks } from '../protocol/base/units.ts';
import { Sender } from '../sender/sender.ts';
import { senderOptions } from '../sender/sender-options.ts';
import { simulatedStream } from '../sim/simulated-stream.ts';
import type { BenchPart } from './part.ts';
import { median, textTable } from './table.ts';

/** Packets in a frame; from 128 on a frame is repaired in groups. */
const FRAME_PACKETS = [25, 50, 100, 128, 200, 400, 1_000, 4_000];
const PACKET_BYTES = 1_100;
const PACKETS = 8_000;
const FRAME_MS = 1_000;

/** CPU time that `fec` takes for a media packet, by the size of the frames. */
export const repair: BenchPart = async ({ rounds, quick, progress }) => {
  const figures = FRAME_PACKETS.map((framePackets) => ({ framePackets, none: [] as number[], fec: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (const figure of figures) {
      progress(`repair: ${figure.framePackets} packets a frame, round ${round + 1} of ${rounds}`);
      const packets = quick ? figure.framePackets : Math.max(PACKETS, figure.framePackets);
      for (const recovery of ['none', 'fec'] as const) {
        figure[recovery].push(microsecondsOfPacket(recovery, figure.framePackets, packets));
      }
    }
  }
  const rows = figures.map(({ framePackets, none, fec }) => [
    framePackets.toLocaleString('en'),
    median(none).toFixed(1),
    median(fec).toFixed(1),
  ]);
  const text = [
    `CPU time of a sender for a media packet, µs, medians of ${rounds} rounds; fec adds a repair packet to every four.`,
    '',
    textTable(['packets a frame', 'none', 'fec'], rows),
  ].join('\n');
  return { text, figures };
};

function microsecondsOfPacket(recovery: 'none' | 'fec', framePackets: number, packets: number): number {
  const sender = new Sender(senderOptions(simulatedStream({ recovery, latency: milliseconds(500) })));
  const parts = [new Uint8Array(framePackets * PACKET_BYTES).fill(0x41)];
  let sent = 0;
  const before = cpuUsage();
  for (let frame = 0; sent < packets; frame++) {
    const timestamp = ticks(frame * 90 * FRAME_MS);
    sender.send(instant(milliseconds(frame * FRAME_MS)), {
      parts,
      timestamp,
      decodeTimestamp: timestamp,
      importance: 'reference',
    });
    // Paced over half of the frame's time.
    for (let ms = 0; ms < FRAME_MS; ms++) {
      const now = instant(milliseconds(frame * FRAME_MS + ms));
      while (sender.pollTransmit(now)) sent++;
    }
  }
  const { user, system } = cpuUsage(before);
  return (user + system) / sender.statistics.packets;
}
