import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Instant, instant, microseconds, milliseconds } from '../../protocol/base/units.ts';
import { parseRtpPacket } from '../../protocol/rtp/rtp-packet.ts';
import { streamParameters } from '../../protocol/stream-parameters.ts';
import { Receiver } from '../../receiver/receiver.ts';
import { receiverOptions } from '../../receiver/receiver-options.ts';
import type { ReceiverStatistics } from '../../receiver/receiver-statistics.ts';
import { readPcapng } from '../io/capture/pcapng.ts';
import { faultBytes, withFaults } from '../io/sources/faults.ts';
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

/** Plays a capture into the receiver at its recorded times. */
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
    runTo(instant(at));
    receiver.handleDatagram(instant(at), payload);
    drain();
  }
  runTo(instant((datagrams.at(-1)?.at ?? 0) + 1_000_000));
  receiver.finish(instant((datagrams.at(-1)?.at ?? 0) + 1_000_000));
  drain();
  return { units, drops, statistics: receiver.statistics };
}

/** Replaces unusable capture times by those of the RTP timestamps. */
const inMediaTime = (datagrams: readonly CapturedDatagram[]): CapturedDatagram[] => {
  let first: number | undefined;
  return datagrams.map((datagram) => {
    const packet = parseRtpPacket(datagram.payload);
    const timestamp = packet.ok ? packet.value.timestamp : 0;
    first ??= timestamp;
    return { ...datagram, at: microseconds(Math.round((((timestamp - first) | 0) * 100) / 9)) };
  });
};

/** Oracle: sorts the packets and keeps the frames whose packets are all present, marker included. */
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
    // One packet is missing between two frames, and so is the first frame's marker: it is the missing packet.
    const isMarker = lost === 1 && !previous?.marker && packet.timestamp !== previous?.timestamp;
    if (lost > 0) good = isMarker;
    if (!packet.marker) continue;
    if (good) whole++;
    good = true;
  }
  return whole;
}

withFaults('shows a stream of gradual refreshes again after a loss, when the refresh is complete', () => {
  const { packets } = readPcapng(Buffer.from(faultBytes('gdr-one-loss.pcap')));
  const start = packets[0]!.at;
  // Ethernet, IPv4 and UDP headers.
  const datagrams = packets.map(({ at, bytes }) => {
    return {
      at: microseconds(Math.round((at - start) * 1e6)),
      destinationPort: 0,
      payload: new Uint8Array(bytes.subarray(42)),
    };
  });
  const { units, drops, statistics } = receive(datagrams, { payloadType: 96, latencyMs: 400 });
  const shown = units.map((unit) => unit.decodeOnly !== true);
  const hidden = shown.indexOf(false);
  // The recovery point message says 38.
  expect(shown.slice(hidden)).toEqual([...new Array(38).fill(false), ...new Array(9).fill(true)]);
  expect(units[hidden]?.importance).toBe('key');
  expect(drops.every((cause) => cause === 'undecodable')).toBe(true);
  expect(statistics.frames).toMatchObject({ onTime: shown.filter(Boolean).length });
  expect(statistics.framesPossiblyDamaged).toBe(0);
});

withMediaAndFfmpeg('delivers every picture of a capture with H.264 and audio, and ffmpeg decodes them all', () => {
  const datagrams = capture('pcap/h264-and-audio_demo_rtp.pcap');
  const { units, drops, statistics } = receive(datagrams, { payloadType: 96 });
  expect(drops).toEqual([]);
  expect(units.length).toBe(142);
  expect(units.length).toBe(wholeFrames(datagrams, 96));
  expect(statistics).toMatchObject({ foreign: 20, malformed: 0, packets: { decided: 842, neverArrived: 0 } });
  expect(decode(annexBOf(units))).toEqual({ pictures: 142, complaints: [] });
});

withMediaAndFfmpeg('delivers the pictures before a truncated packet at the end of a capture', () => {
  const datagrams = capture('broken/pcap_cut-mid-packet.pcap');
  const { units, statistics } = receive(datagrams, { payloadType: 96 });
  const whole = wholeFrames(datagrams, 96);
  expect(whole).toBeGreaterThan(0);
  expect(units.length).toBe(whole);
  expect(statistics.malformed).toBe(0);
  expect(decode(annexBOf(units))).toEqual({ pictures: whole, complaints: [] });
});

withMediaAndFfmpeg('reorders a capture shuffled over 100 ms within the latency', () => {
  const datagrams = capture('pcap/h264_shuffled-lossy_a.pcap');
  const whole = wholeFrames(datagrams, 96);
  const { units, statistics } = receive(datagrams, { payloadType: 96, latencyMs: 300 });
  expect(whole).toBeGreaterThanOrEqual(70);
  expect(units.length).toBe(whole);
  expect(statistics.packets).toMatchObject({ decided: 433, neverArrived: 6, late: 0 });
  expect(decode(annexBOf(units))).toEqual({ pictures: whole, complaints: [] });
});

withMedia('drops frames when the latency is shorter than the shuffle, and the counters still balance', () => {
  const { units, drops, statistics } = receive(capture('pcap/h264_shuffled-lossy_a.pcap'), { payloadType: 96 });
  expect(units).toEqual([]); // its only key frame arrives too late
  expect(drops.length).toBe(72);
  expect(statistics.packets.late).toBeGreaterThan(0);
});

// The capture itself is damaged: one STAP-A is truncated, and a slice of two pictures cannot be decoded.
for (const onLoss of ['freeze', 'smear'] as const) {
  withMediaAndFfmpeg(
    `delivers complete frames from single NAL unit packets, STAP-A and FU-A with losses (${onLoss})`,
    () => {
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
      // Each of the four drops freezes the picture up to the next key frame.
      expect(units.length).toBeLessThan(whole - 1);
      expect(units.length).toBeGreaterThanOrEqual(140);
      expect(pictures).toBe(units.length);
    },
  );
}

withMedia('delivers no picture for VP8 under a dynamic payload type, without an error', () => {
  for (const onLoss of ['freeze', 'smear'] as const) {
    const { units, statistics } = receive(capture('pcap/vp8_webrtc.pcap'), { payloadType: 96, onLoss });
    expect(units).toEqual([]);
    expect(statistics.packets).toMatchObject({ decided: 104, neverArrived: 0 });
  }
});

withMedia('counts MPEG-TS under its own payload type as foreign', () => {
  const { units, statistics } = receive(capture('pcap/mpegts-over-rtp_vlan.pcap'), { payloadType: 96 });
  expect(units).toEqual([]);
  expect(statistics).toMatchObject({ datagrams: 16, foreign: 16, malformed: 0 });
});
