import type { AccessUnit } from './access-unit.ts';
import { assert } from './base/assert.ts';
import { type Ticks, ticks } from './base/units.ts';
import type { Codec } from './codec/codec.ts';
import { DEFAULT_CODEC } from './codec/codecs.ts';

/** Size of a transport stream packet (ISO/IEC 13818-1 §2.4.3.2). */
export const TRANSPORT_PACKET_BYTES = 188;

const HEADER_BYTES = 4;
const SYNC = 0x47;
const TABLE_PID = 0x0000;
const PROGRAM_MAP_PID = 0x1000;
const VIDEO_PID = 0x0100;
const SOUND_PID = 0x0101;
const VIDEO_STREAM_ID = 0xe0;
/** Start code, stream id, length, flags, then presentation and decode time of five bytes each. */
const PES_HEADER_BYTES = 19;
/** The same without a decode time. */
const SOUND_HEADER_BYTES = 14;
/** PCR of the first packet of a picture: length, flags, six bytes. */
const CLOCK_FIELD_BYTES = 8;
const CLOCK_FLAG = 0x10;
/** Position of the PCR: after the header, the field's length and its flags. */
const CLOCK_AT = HEADER_BYTES + 2;
const CLOCK_BYTES = 6;
/** Ticks of 27 MHz in one of 90 kHz. */
export const CLOCK_EXTENSION = 300;
/** Interval at which tables are repeated, in pictures, so that a reader can join: 100 ms at 30/s, as DVB requires. */
const TABLE_INTERVAL_PICTURES = 3;
/** Start value of the clock, one second, which keeps the first clock above zero. */
export const CLOCK_START: Ticks = ticks(90_000);

/**
 * Muxes a video stream, and one of sound, or sound alone, as MPEG-TS (ISO/IEC 13818-1), for players that want a clock. Each picture is
 * written at once. A muxer for files waits for the next key frame before it knows the decode times; here they are known.
 *
 *     0                   1                   2                   3
 *     0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    |   sync 0x47   |E|S|P|          PID            |TSC|AFC| count |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 *    | adaptation field (clock, stuffing), then payload, to 188      |
 *    +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
 */
export class TransportStreamWriter {
  readonly #clockLead: Ticks;
  /** The stream that has the clock: the pictures, or the sound where there is nothing else. */
  readonly #main: TransportStreamSound;
  readonly #sound: TransportStreamSound | undefined;
  readonly #programMap: Uint8Array;
  readonly #counters = new Map<number, number>();
  #pictures = 0;
  /** Newest PCR written; −∞ before the first. */
  #clock: Ticks = ticks(Number.NEGATIVE_INFINITY);

  /**
   * @param options.clockLead time by which the clock is ahead of the decode times, which is the time that a player
   * waits for a picture to arrive in full: 0 for live input; half a second (45,000) is customary in files. `codec` is
   * H.264 by default. `parameterSets` are those of a codec of sound. `sound` is that of a second stream.
   */
  constructor({
    clockLead,
    codec = DEFAULT_CODEC,
    parameterSets = [],
    sound,
  }: {
    readonly clockLead: Ticks;
    readonly codec?: Codec;
    readonly parameterSets?: readonly Uint8Array[];
    readonly sound?: TransportStreamSound;
  }) {
    const { transportStream } = codec;
    assert(transportStream !== undefined, 'the codec must be one that can be muxed into MPEG-TS');
    this.#clockLead = clockLead;
    this.#main = { codec, parameterSets };
    this.#sound = sound;
    this.#programMap = programMap(this.#main, sound);
  }

  /**
   * Returns the packets of one access unit, in decode order; a multiple of 188 bytes. The clock never runs backwards: a
   * picture behind it is late.
   * @param clock value of the clock, 90 kHz; `clockLead` before the decode time by default.
   */
  write(unit: AccessUnit, clock = ticks(unit.decodeTimestamp - this.#clockLead)): Uint8Array {
    this.#clock = ticks(Math.max(this.#clock, clock));
    const isSound = this.#main.codec.mediaType === 'audio';
    const pes = isSound ? soundPes(unit, this.#main) : packetizedElementaryStream(unit, this.#main.codec);
    const tables = (unit.importance === 'key' && !isSound) || this.#pictures % TABLE_INTERVAL_PICTURES === 0;
    this.#pictures += 1;
    const room = TRANSPORT_PACKET_BYTES - HEADER_BYTES;
    const videoPackets = Math.ceil((pes.length + CLOCK_FIELD_BYTES) / room);
    const result = new Uint8Array((videoPackets + (tables ? 2 : 0)) * TRANSPORT_PACKET_BYTES);
    let at = 0;
    if (tables) {
      this.#section(result.subarray(at, at + TRANSPORT_PACKET_BYTES), TABLE_PID, PROGRAM_ASSOCIATION);
      at += TRANSPORT_PACKET_BYTES;
      this.#section(result.subarray(at, at + TRANSPORT_PACKET_BYTES), PROGRAM_MAP_PID, this.#programMap);
      at += TRANSPORT_PACKET_BYTES;
    }
    this.#packets(result.subarray(at), VIDEO_PID, pes, unit);
    return result;
  }

  /** Returns the packets of one unit of the sound, on the timeline of the pictures; a multiple of 188 bytes. */
  writeSound(unit: AccessUnit): Uint8Array {
    const sound = this.#sound;
    if (!sound) return new Uint8Array(0);
    const pes = soundPes(unit, sound);
    const result = new Uint8Array(
      Math.ceil(pes.length / (TRANSPORT_PACKET_BYTES - HEADER_BYTES)) * TRANSPORT_PACKET_BYTES,
    );
    this.#packets(result, SOUND_PID, pes, undefined);
    return result;
  }

  /** Fills packets with a PES packet. `clockOf`: the unit whose clock the first one carries. */
  #packets(result: Uint8Array, pid: number, pes: Uint8Array, clockOf: AccessUnit | undefined): void {
    let read = 0;
    for (let at = 0; at < result.length; at += TRANSPORT_PACKET_BYTES) {
      const packet = result.subarray(at, at + TRANSPORT_PACKET_BYTES);
      const starts = at === 0;
      read += this.#packet(packet, pes.subarray(read), { pid, starts, clockOf: starts ? clockOf : undefined });
    }
  }

  /** Returns a packet with a PCR only (ISO/IEC 13818-1 §2.7.2), for a reader that waits for pictures. */
  writeClock(clock: Ticks): Uint8Array {
    this.#clock = ticks(Math.max(this.#clock, clock));
    const packet = new Uint8Array(TRANSPORT_PACKET_BYTES).fill(0xff);
    // The continuity counter does not advance without payload (§2.4.3.3).
    const counter = ((this.#counters.get(VIDEO_PID) ?? 0) + 15) & 0x0f;
    packet.set([SYNC, VIDEO_PID >> 8, VIDEO_PID & 0xff, 0x20 | counter, TRANSPORT_PACKET_BYTES - HEADER_BYTES - 1]);
    writeClock(packet, HEADER_BYTES + 1, { clock: this.#clock, key: false });
    return packet;
  }

  /** Restarts the clock with the next access unit. */
  restartClock(): void {
    this.#clock = ticks(Number.NEGATIVE_INFINITY);
  }

  #section(packet: Uint8Array, pid: number, section: Uint8Array): void {
    this.#header(packet, pid, { starts: true, adaptation: false });
    packet.fill(0xff, HEADER_BYTES);
    packet[HEADER_BYTES] = 0; // pointer field: the section starts here
    packet.set(section, HEADER_BYTES + 1);
  }

  /** Fills one packet and returns the number of bytes taken from `rest`. */
  #packet(
    packet: Uint8Array,
    rest: Uint8Array,
    {
      pid,
      starts,
      clockOf,
    }: { readonly pid: number; readonly starts: boolean; readonly clockOf: AccessUnit | undefined },
  ): number {
    const room = TRANSPORT_PACKET_BYTES - HEADER_BYTES;
    const wanted = clockOf === undefined ? 0 : CLOCK_FIELD_BYTES;
    const field = Math.max(wanted, room - rest.length);
    this.#header(packet, pid, { starts, adaptation: field > 0 });
    if (field > 0) {
      packet.fill(0xff, HEADER_BYTES, HEADER_BYTES + field);
      packet[HEADER_BYTES] = field - 1;
      if (field > 1) packet[HEADER_BYTES + 1] = 0;
      if (clockOf) writeClock(packet, HEADER_BYTES + 1, { clock: this.#clock, key: clockOf.importance === 'key' });
    }
    const taken = room - field;
    packet.set(rest.subarray(0, taken), HEADER_BYTES + field);
    return taken;
  }

  #header(packet: Uint8Array, pid: number, is: { readonly starts: boolean; readonly adaptation: boolean }): void {
    const counter = this.#counters.get(pid) ?? 0;
    this.#counters.set(pid, (counter + 1) & 0x0f);
    packet[0] = SYNC;
    packet[1] = (is.starts ? 0x40 : 0) | (pid >> 8);
    packet[2] = pid & 0xff;
    packet[3] = (is.adaptation ? 0x30 : 0x10) | counter;
  }
}

/** Returns a packet that readers ignore (ISO/IEC 13818-1 §2.4.3.3, table 2-3). */
export function nullPacket(): Uint8Array {
  const packet = new Uint8Array(TRANSPORT_PACKET_BYTES).fill(0xff);
  packet.set([SYNC, 0x1f, 0xff, 0x10]);
  return packet;
}

function packetizedElementaryStream(unit: AccessUnit, { transportStream }: Codec): Uint8Array {
  const picture = transportStream!.write(unit.parts, []);
  const bytes = new Uint8Array(PES_HEADER_BYTES + picture.length);
  // A known length lets the reader deliver the picture without waiting for the next one; 0 means unknown.
  const following = bytes.length - 6 <= 0xffff ? bytes.length - 6 : 0;
  bytes.set([0, 0, 1, VIDEO_STREAM_ID, following >> 8, following & 0xff, 0x84, 0xc0, 10]);
  writeTime(bytes, 9, 0x3, ticks(unit.timestamp + CLOCK_START));
  writeTime(bytes, 14, 0x1, ticks(unit.decodeTimestamp + CLOCK_START));
  bytes.set(picture, PES_HEADER_BYTES);
  return bytes;
}

function soundPes({ parts, timestamp }: AccessUnit, { codec, parameterSets }: TransportStreamSound): Uint8Array {
  const frame = codec.transportStream!.write(parts, parameterSets);
  const bytes = new Uint8Array(SOUND_HEADER_BYTES + frame.length);
  const following = bytes.length - 6;
  const streamId = codec.transportStream!.streamId ?? VIDEO_STREAM_ID;
  bytes.set([0, 0, 1, streamId, following >> 8, following & 0xff, 0x84, 0x80, 5]);
  writeTime(bytes, 9, 0x2, ticks(timestamp + CLOCK_START));
  bytes.set(frame, SOUND_HEADER_BYTES);
  return bytes;
}

/** ISO/IEC 13818-1 §2.4.3.7: 33 bits of 90 kHz in three parts, each closed by a marker bit. */
function writeTime(bytes: Uint8Array, offset: number, prefix: number, time: Ticks): void {
  const wrapped = modulo33(time);
  const low = wrapped % 2 ** 30;
  bytes[offset] = (prefix << 4) | (Math.floor(wrapped / 2 ** 30) << 1) | 1;
  bytes[offset + 1] = low >> 22;
  bytes[offset + 2] = ((low >> 14) & 0xfe) | 1;
  bytes[offset + 3] = (low >> 7) & 0xff;
  bytes[offset + 4] = ((low << 1) & 0xfe) | 1;
}

/** Writes the flags and the clock of an adaptation field. */
function writeClock(packet: Uint8Array, offset: number, at: { readonly clock: Ticks; readonly key: boolean }): void {
  packet[offset] = CLOCK_FLAG | (at.key ? 0x40 : 0); // clock present, random access
  stampClock(packet, at.clock * CLOCK_EXTENSION);
}

/** Packets in a row by which a transport stream is recognized. */
const RECOGNIZED_BY = 5;

/** True when bytes hold a transport stream, which may begin within a packet. */
export function holdsTransportStream(bytes: Uint8Array): boolean {
  const beginsAt = (start: number): boolean => {
    for (let packet = 0; packet < RECOGNIZED_BY; packet++) {
      if (bytes[start + packet * TRANSPORT_PACKET_BYTES] !== SYNC) return false;
    }
    return true;
  };
  for (let start = 0; start < TRANSPORT_PACKET_BYTES; start++) if (beginsAt(start)) return true;
  return false;
}

/** True for a packet with a PCR. */
export const carriesClock = (packet: Uint8Array): boolean =>
  (packet[3]! & 0x20) !== 0 &&
  packet[HEADER_BYTES]! >= CLOCK_FIELD_BYTES - 1 &&
  (packet[CLOCK_AT - 1]! & CLOCK_FLAG) !== 0;

/** Takes the PCR out of a packet that has one; stuffing is left in its place. */
export function clearClock(packet: Uint8Array): void {
  packet[CLOCK_AT - 1]! &= ~CLOCK_FLAG;
  packet.fill(0xff, CLOCK_AT, CLOCK_AT + CLOCK_BYTES);
}

/** Writes the PCR of each packet that has one. @param clock of the stream's time, 27 MHz. */
export function stampClocks(packets: Uint8Array, clock: number): void {
  for (let at = 0; at < packets.length; at += TRANSPORT_PACKET_BYTES) {
    const packet = packets.subarray(at, at + TRANSPORT_PACKET_BYTES);
    if (carriesClock(packet)) stampClock(packet, clock);
  }
}

/**
 * Writes the PCR of a packet that has one (ISO/IEC 13818-1 §2.4.3.5): 33 bits of 90 kHz, six reserved bits, nine bits of 27 MHz.
 * @param clock of the stream's time, 27 MHz.
 */
export function stampClock(packet: Uint8Array, clock: number): void {
  const base = modulo33(ticks(Math.floor(clock / CLOCK_EXTENSION) + CLOCK_START));
  const extension = Math.floor(clock) - Math.floor(clock / CLOCK_EXTENSION) * CLOCK_EXTENSION;
  const high = Math.floor(base / 2);
  packet[CLOCK_AT] = high >>> 24;
  packet[CLOCK_AT + 1] = (high >> 16) & 0xff;
  packet[CLOCK_AT + 2] = (high >> 8) & 0xff;
  packet[CLOCK_AT + 3] = high & 0xff;
  packet[CLOCK_AT + 4] = ((base & 1) << 7) | 0x7e | (extension >> 8);
  packet[CLOCK_AT + 5] = extension & 0xff;
}

/** Wraps a time to 33 bits; a time before the start wraps to the top. */
const modulo33 = (time: Ticks): number => ((time % 2 ** 33) + 2 ** 33) % 2 ** 33;

/** CRC-32/MPEG-2 (ISO/IEC 13818-1 Annex A), bit by bit, which is fast enough for two small constants. */
function withChecksum(section: readonly number[]): Uint8Array {
  let register = 0xffffffff;
  for (const byte of section) {
    register ^= byte << 24;
    for (let bit = 0; bit < 8; bit += 1)
      register = register & 0x80000000 ? (register << 1) ^ 0x04c11db7 : register << 1;
  }
  return Uint8Array.from([...section, register >>> 24, register >>> 16, register >>> 8, register]);
}

/** ISO/IEC 13818-1 §2.4.4.3: program 1 has its map on PROGRAM_MAP_PID. */
const PROGRAM_ASSOCIATION = withChecksum([
  ...[0x00, 0xb0, 0x0d, 0x00, 0x01, 0xc1, 0x00, 0x00],
  ...[0x00, 0x01, 0xe0 | (PROGRAM_MAP_PID >> 8), PROGRAM_MAP_PID & 0xff],
]);

/** A stream: a codec that can be muxed, and the configuration of its decoder. */
export interface TransportStreamSound {
  readonly codec: Codec;
  readonly parameterSets: readonly Uint8Array[];
}

/** ISO/IEC 13818-1 §2.4.4.8: the stream that carries the PCR, and the sound beside it. */
function programMap(main: TransportStreamSound, sound: TransportStreamSound | undefined): Uint8Array {
  const entry = ({ codec, parameterSets }: TransportStreamSound, pid: number): number[] => {
    const { streamType, descriptors } = codec.transportStream!;
    const list = descriptors?.(parameterSets) ?? [];
    return [streamType, 0xe0 | (pid >> 8), pid & 0xff, 0xf0, list.length, ...list];
  };
  const streams = [...entry(main, VIDEO_PID), ...(sound?.codec.transportStream ? entry(sound, SOUND_PID) : [])];
  // After the length: program number, version, section numbers, PCR PID and program information, then the checksum.
  return withChecksum([
    ...[0x02, 0xb0, 9 + streams.length + 4, 0x00, 0x01, 0xc1, 0x00, 0x00],
    ...[0xe0 | (VIDEO_PID >> 8), VIDEO_PID & 0xff, 0xf0, 0x00],
    ...streams,
  ]);
}
