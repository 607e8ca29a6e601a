import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { openMediaSource } from '../../io/sources/open-source.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Instant, instant, milliseconds, ticks, ticksToMicroseconds } from '../../protocol/base/units.ts';
import { H264 } from '../../protocol/codec/h264/h264.ts';
import { wireSequence, wireTimestamp } from '../../protocol/rtp/sequence.ts';
import { streamParameters } from '../../protocol/stream-parameters.ts';
import { Receiver } from '../../receiver/receiver.ts';
import { receiverOptions } from '../../receiver/receiver-options.ts';
import { Packetizer } from '../../sender/packetizer.ts';
import { MEDIA, nalText, withMedia } from '../io/sources/media.ts';

/** Long enough for every structure of a stream to repeat. */
const UNITS_MAX = 250;
const LATENCY = milliseconds(300);

const filesOf = (folder: string, wanted: RegExp): string[] =>
  existsSync(join(MEDIA, folder))
    ? readdirSync(join(MEDIA, folder))
        .filter((name) => wanted.test(name))
        .map((name) => join(MEDIA, folder, name))
    : [];

async function unitsOf(file: string): Promise<AccessUnit[]> {
  const source = await openMediaSource(file, { encode: 'copy', bitrate: 1_000_000, gop: 30, warn: () => {} });
  onTestFinished(() => source.close());
  const units: AccessUnit[] = [];
  for await (const unit of source.units()) {
    units.push(unit);
    if (units.length === UNITS_MAX) break;
  }
  return units;
}

/** Sends units as plain RTP without a network: the packets of each unit leave at its decode time. */
function throughPlainRtp(units: readonly AccessUnit[]) {
  const packetizer = new Packetizer({
    codec: H264,
    clockRate: 90_000,
    ssrc: 7,
    payloadType: 96,
    initialSequence: wireSequence(65_500),
    timestampBase: wireTimestamp(0xffff_0000),
    initialFrameNumber: 0,
    datagramBytesMax: 1_200,
    frameMarks: false,
  });
  const plain = { recovery: 'reorder', frameMarks: false, feedback: false } as const;
  const receiver = new Receiver(receiverOptions(streamParameters({ ...plain, latency: LATENCY }), { reportSsrc: 1 }));
  const received: AccessUnit[] = [];
  const drops: string[] = [];
  const drain = () => {
    for (let event = receiver.pollEvent(); event; event = receiver.pollEvent()) {
      if (event.kind === 'access-unit') received.push(event.unit);
      else if (event.kind === 'dropped') drops.push(event.cause);
    }
  };
  const runTo = (at: Instant) => {
    for (let due = receiver.pollTimeout(); due !== undefined && due <= at; due = receiver.pollTimeout()) {
      receiver.handleTimeout(due);
      drain();
    }
  };
  for (const unit of units) {
    const at = ticksToMicroseconds(ticks(unit.decodeTimestamp - units[0]!.decodeTimestamp));
    runTo(instant(at));
    for (const datagram of packetizer.packetize(unit).datagrams) receiver.handleDatagram(instant(at), datagram);
    drain();
  }
  runTo(instant(ticksToMicroseconds(ticks(units.at(-1)!.decodeTimestamp - units[0]!.decodeTimestamp)) + 10 * LATENCY));
  receiver.assertBalanced();
  return { received, drops, statistics: receiver.statistics };
}

const STREAMS = [...filesOf('annexb', /./), ...filesOf('clips', /_h264.*\.(mp4|mkv|ts|mov)$/)];

for (const file of STREAMS.length > 0 ? STREAMS : ['the streams of the shared media']) {
  const name = file.slice(file.lastIndexOf('/') + 1);
  withMedia(`carries ${name} over plain RTP, picture by picture, with its timing`, async () => {
    const units = await unitsOf(file);
    const { received, drops, statistics } = throughPlainRtp(units);
    expect(drops).toEqual([]);
    expect(nalText(received)).toEqual(nalText(units));
    expect(received.map(({ importance }) => importance)).toEqual(units.map(({ importance }) => importance));
    const first = units[0]!.timestamp;
    expect(received.map(({ timestamp }) => timestamp)).toEqual(units.map(({ timestamp }) => timestamp - first));
    let decodedThrough = Number.NEGATIVE_INFINITY;
    for (const { timestamp, decodeTimestamp } of received) {
      expect(decodeTimestamp).toBeLessThanOrEqual(timestamp);
      expect(decodeTimestamp).toBeGreaterThanOrEqual(decodedThrough);
      decodedThrough = decodeTimestamp;
    }
    expect(statistics.playoutDelay.p50! / LATENCY).toBeCloseTo(1, 1);
  });
}
