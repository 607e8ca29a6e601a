import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Instant, milliseconds } from '../../protocol/base/instant.ts';
import { parseRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { streamParameters } from '../../protocol/stream-parameters.ts';
import { Receiver } from '../../receiver/receiver.ts';
import { receiverOptions } from '../../receiver/receiver-options.ts';
import type { ReceiverStatistics } from '../../receiver/receiver-statistics.ts';
import { MEDIA, withMedia, withMediaAndFfmpeg } from '../io/sources/media.ts';
import { annexBOf, decode } from './ffmpeg.ts';
import { type CapturedDatagram, readCapture } from './pcap.ts';

const capture = (path: string): CapturedDatagram[] => readCapture(readFileSync(join(MEDIA, path)));

interface Stream {
  readonly ssrc?: number;
  readonly payloadType: number;
  readonly latencyMs?: number;
  readonly onLoss?: 'freeze' | 'smear';
}

/** Plays a capture into the receiver in its own time. */
function receive(
  datagrams: readonly CapturedDatagram[],
  { latencyMs = 120, onLoss = 'freeze', ...stream }: Stream,
): { readonly units: AccessUnit[]; readonly drops: string[]; readonly statistics: ReceiverStatistics } {
  const plain = { recovery: 'reorder', frameMarks: false, feedback: false } as const;
  const parameters = streamParameters({ ...stream, ...plain, latency: milliseconds(latencyMs) });
  const receiver = new Receiver(receiverOptions(parameters, { reportSsrc: 1, onLoss }));
  const units: AccessUnit[] = [];
  const drops: string[] = [];
  const drain = () => {
    for (let event = receiver.pollEvent(); event; event = receiver.pollEvent()) {
      if (event.kind === 'access-unit') units.push(event.unit);
      else if (event.kind === 'dropped') drops.push(event.cause);
    }
    receiver.assertBalanced();
  };
  const runTo = (at: Instant) => {
    for (let due = receiver.pollTimeout(); due !== undefined && due <= at; due = receiver.pollTimeout()) {
      receiver.handleTimeout(due);
      drain();
    }
  };
  for (const { at, payload } of datagrams) {
    runTo(at);
    receiver.handleDatagram(at, payload);
    drain();
  }
  runTo((datagrams.at(-1)?.at ?? 0) + 1_000_000);
  receiver.finish((datagrams.at(-1)?.at ?? 0) + 1_000_000);
  drain();
  return { units, drops, statistics: receiver.statistics };
}

/** A capture whose own times are of no use, in the time that its RTP timestamps tell. */
const inMediaTime = (datagrams: readonly CapturedDatagram[]): CapturedDatagram[] => {
  let first: number | undefined;
  return datagrams.map((datagram) => {
    const packet = parseRtpPacket(datagram.payload);
    const timestamp = packet.ok ? packet.value.timestamp : 0;
    first ??= timestamp;
    return { ...datagram, at: Math.round((((timestamp - first) | 0) * 100) / 9) };
  });
};

/** The slow, obvious way: put in order, the frames all of whose packets are here, marker included. */
function wholeFrames(datagrams: readonly CapturedDatagram[], payloadType: number): number {
  const packets = datagrams.flatMap(({ payload }) => {
    const packet = parseRtpPacket(payload);
    return packet.ok && packet.value.payloadType === payloadType ? [packet.value] : [];
  });
  packets.sort((a, b) => a.sequenceNumber - b.sequenceNumber); // none of the captures wraps
  let whole = 0;
  let good = true;
  for (const [index, packet] of packets.entries()) {
    const previous = packets[index - 1];
    const lost = previous ? packet.sequenceNumber - previous.sequenceNumber - 1 : 0;
    // One packet is missing between two frames, and the first one's marker: it is that packet.
    const isMarker = lost === 1 && !previous?.marker && packet.timestamp !== previous?.timestamp;
    if (lost > 0) good = isMarker;
    if (!packet.marker) continue;
    if (good) whole++;
    good = true;
  }
  return whole;
}

withMediaAndFfmpeg('a capture of H.264 beside audio gives every picture, and ffmpeg decodes them all', () => {
  const datagrams = capture('pcap/h264-and-audio_demo_rtp.pcap');
  const { units, drops, statistics } = receive(datagrams, { payloadType: 96 });
  expect(drops).toEqual([]);
  expect(units.length).toBe(142);
  expect(units.length).toBe(wholeFrames(datagrams, 96));
  expect(statistics).toMatchObject({ foreign: 20, malformed: 0, packets: { decided: 842, neverArrived: 0 } });
  expect(decode(annexBOf(units))).toEqual({ pictures: 142, complaints: [] });
});

withMediaAndFfmpeg('a capture that ends in the middle of a packet gives the pictures before it', () => {
  const datagrams = capture('broken/pcap_cut-mid-packet.pcap');
  const { units, statistics } = receive(datagrams, { payloadType: 96 });
  const whole = wholeFrames(datagrams, 96);
  expect(whole).toBeGreaterThan(0);
  expect(units.length).toBe(whole);
  expect(statistics.malformed).toBe(0);
  expect(decode(annexBOf(units))).toEqual({ pictures: whole, complaints: [] });
});

withMediaAndFfmpeg('a capture shuffled over 100 ms is put in order where the latency allows for it', () => {
  const datagrams = capture('pcap/h264_shuffled-lossy_a.pcap');
  const whole = wholeFrames(datagrams, 96);
  const { units, statistics } = receive(datagrams, { payloadType: 96, latencyMs: 300 });
  expect(whole).toBeGreaterThanOrEqual(70);
  expect(units.length).toBe(whole);
  expect(statistics.packets).toMatchObject({ decided: 433, neverArrived: 6, late: 0 });
  expect(decode(annexBOf(units))).toEqual({ pictures: whole, complaints: [] });
});

withMedia('with less latency than the shuffle takes, frames are dropped and the sums still balance', () => {
  const { units, drops, statistics } = receive(capture('pcap/h264_shuffled-lossy_a.pcap'), { payloadType: 96 });
  expect(units).toEqual([]); // its only key frame comes too late
  expect(drops.length).toBe(72);
  expect(statistics.packets.late).toBeGreaterThan(0);
});

// The capture is damaged by itself: one STAP-A is cut, and a slice of two pictures cannot be decoded by anybody.
for (const onLoss of ['freeze', 'smear'] as const) {
  withMediaAndFfmpeg(`single NAL unit packets, STAP-A and FU-A with losses, ${onLoss}: whole frames come out`, () => {
    const datagrams = inMediaTime(capture('pcap/h264_single-stap-fua_lossy.pcap'));
    const whole = wholeFrames(datagrams, 126);
    const { units, drops, statistics } = receive(datagrams, { payloadType: 126, onLoss });
    expect(statistics).toMatchObject({ malformed: 1, foreign: 0, packets: { neverArrived: 3, decided: 301 } });
    expect(units.length + drops.length).toBe(268);
    const { pictures } = decode(annexBOf(units));
    if (onLoss === 'smear') {
      expect(units.length).toBe(whole - 1);
      expect(pictures).toBeGreaterThanOrEqual(250);
      return;
    }
    // Each of the four drops freezes the picture up to the key frame after it.
    expect(units.length).toBeLessThan(whole - 1);
    expect(units.length).toBeGreaterThanOrEqual(140);
    expect(pictures).toBe(units.length);
  });
}

withMedia('VP8 under a dynamic payload type gives no picture, and harms nothing', () => {
  for (const onLoss of ['freeze', 'smear'] as const) {
    const { units, statistics } = receive(capture('pcap/vp8_webrtc.pcap'), { payloadType: 96, onLoss });
    expect(units).toEqual([]);
    expect(statistics.packets).toMatchObject({ decided: 104, neverArrived: 0 });
  }
});

withMedia('MPEG-TS under its own payload type is foreign', () => {
  const { units, statistics } = receive(capture('pcap/mpegts-over-rtp_vlan.pcap'), { payloadType: 96 });
  expect(units).toEqual([]);
  expect(statistics).toMatchObject({ datagrams: 16, foreign: 16, malformed: 0 });
});
