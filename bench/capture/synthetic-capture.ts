import { simulatePath } from '../../lab/capture/simulated-path.ts';
import { writeUint16, writeUint32 } from '../../protocol/base/big-endian.ts';
import { pcapHeader, pcapRecord } from '../../protocol/capture/pcap.ts';
import { RandomStream } from '../../sim/random.ts';
import type { Truth } from './synthetic-truth.ts';

/** Captures of a simulated path, as files. */
export interface SyntheticCapture {
  /** Capture at the sender; absent when only the receiver captured. */
  readonly sender: Uint8Array | undefined;
  readonly receiver: Uint8Array;
}

const PICTURES_PER_SECOND = 30;
const SOUND_INTERVAL_US = 20_000;
const VIDEO_CLOCK = 90_000;
const SOUND_CLOCK = 48_000;
/** Bytes of IP, UDP and RTP headers, which are all that these captures hold of a packet. */
const HEADERS = 40;
const MINUTE_US = 60e6;
/** 2026-01-01, microseconds since 1970. */
const EPOCH_US = 1_767_225_600e6;

interface Sent {
  readonly at: Float64Array;
  readonly bytes: Float64Array;
  readonly timestamps: Float64Array;
}

/** When a source sends what. Pictures have 3 to 20 packets at one instant. */
function scheduleOf({ seed, packets, media }: Truth): Sent {
  const random = new RandomStream(seed, 'schedule');
  const [at, bytes, timestamps] = [new Float64Array(packets), new Float64Array(packets), new Float64Array(packets)];
  for (let index = 0, picture = 0; index < packets; picture++) {
    const count = media === 'sound' ? 1 : 3 + random.below(picture, 18);
    const sentAt = media === 'sound' ? picture * SOUND_INTERVAL_US : Math.round((picture * 1e6) / PICTURES_PER_SECOND);
    const clock = media === 'sound' ? SOUND_CLOCK : VIDEO_CLOCK;
    const timestamp = media === 'sound' ? picture * 960 : picture * (clock / PICTURES_PER_SECOND);
    for (let part = 0; part < count && index < packets; part++, index++) {
      at[index] = sentAt;
      bytes[index] = media === 'sound' ? 200 : part === count - 1 ? 400 + random.below(picture, 800) : 1_228;
      timestamps[index] = timestamp;
    }
  }
  return { at, bytes, timestamps };
}

/** Makes the captures of a path: with other addresses and ports at the receiver, wrapped numbers and short snapshots. */
export function syntheticCapture(truth: Truth): SyntheticCapture {
  const sent = scheduleOf(truth);
  const path = simulatePath(truth.link, { sent: sent.at, bytes: sent.bytes });
  const onReceiver = (at: number) => EPOCH_US + MINUTE_US + truth.offsetUs + at * (1 + truth.driftPpm / 1e6);
  const arrivals = [...path.arrived.keys()].filter((index) => !Number.isNaN(path.arrived[index]!));
  arrivals.sort((one, other) => path.rank[one]! - path.rank[other]!);
  const first = 65_000 + (truth.seed % 500);
  const packet = (index: number, at: number, port: number) => {
    const content = new Uint8Array(HEADERS);
    content[0] = 0x45;
    writeUint16(content, 2, sent.bytes[index]!);
    content[8] = 64;
    content[9] = 17;
    content.set([10, 0, 0, port & 0xff, 192, 0, 2, 2], 12);
    writeUint16(content, 20, port);
    writeUint16(content, 22, 6004);
    writeUint16(content, 24, sent.bytes[index]! - 20);
    content[28] = 0x80;
    content[29] = truth.media === 'sound' ? 111 : 96;
    writeUint16(content, 30, (first + index) & 0xffff);
    writeUint32(content, 32, (0xffff_0000 + sent.timestamps[index]!) >>> 0);
    writeUint32(content, 36, 0x1000_0000 + truth.seed);
    const record = pcapRecord(Math.round(at) / 1_000, content);
    writeTimes(record, Math.round(at), sent.bytes[index]!);
    return record;
  };
  const file = (records: readonly Uint8Array[]) => Buffer.concat([pcapHeader(), ...records]);
  const receiver = file(arrivals.map((index) => packet(index, onReceiver(path.arrived[index]!), 40_001)));
  if (truth.sides === 'one') return { sender: undefined, receiver };
  const sender = file([...sent.at.keys()].map((index) => packet(index, EPOCH_US + MINUTE_US + sent.at[index]!, 5_004)));
  return { sender, receiver };
}

/** Whole microseconds, which milliseconds as floating point numbers do not always keep, and the length on the wire. */
function writeTimes(record: Uint8Array, atUs: number, wireBytes: number): void {
  const view = new DataView(record.buffer, record.byteOffset);
  view.setUint32(0, Math.floor(atUs / 1e6), true);
  view.setUint32(4, atUs % 1e6, true);
  view.setUint32(12, wireBytes, true);
}
