import { closeSync, createWriteStream, openSync, type WriteStream, writeSync } from 'node:fs';
import { instant, milliseconds } from '../../protocol/base/units.ts';
import { CapturedDatagrams } from '../../protocol/capture/captured-datagrams.ts';
import { type CapturedSession, describeCapture } from '../../protocol/capture/captured-session.ts';
import { pcapHeader, pcapRecord, SNAPSHOT_BYTES } from '../../protocol/capture/pcap.ts';
import { enhancedPacket, interfaceDescription, sectionHeader } from '../../protocol/capture/pcapng.ts';
import { UDP_IP_HEADER_BYTES } from '../../protocol/ip-packet.ts';
import { causeOf, Failure } from '../os/failure.ts';
import { requireReader } from '../os/writable-path.ts';

/** Datagrams held until a session is described: plain RTP is described with its first picture. */
const HELD_MAX = 512;
/** Size of the write buffer, bytes. */
const BUFFER_BYTES = 1 << 18;

/**
 * Writes IP packets to a pcapng file with the time of day in microseconds, their direction as seen from the machine,
 * and optional comments. Writes synchronously, so it belongs on a thread of its own.
 */
export class PacketCapture {
  readonly #path: string;
  readonly #fd: number;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  #filled = 0;
  #failure: Failure | undefined;

  /** @param interfaceName name of the captured interface. */
  constructor(path: string, interfaceName: string) {
    this.#path = path;
    try {
      requireReader(path);
      this.#fd = openSync(path, 'w');
    } catch (error) {
      throw failureOf(path, error);
    }
    this.#append(sectionHeader());
    this.#append(interfaceDescription(interfaceName));
    this.flush();
    if (this.#failure) throw this.#failure;
  }

  /** First write error, after which nothing more is written; `undefined` while there is none. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** @param direction `out`: sent by the machine. */
  write(direction: 'in' | 'out', packet: Uint8Array, comment?: string): void {
    const at = instant(milliseconds(timeOfDayMs()));
    this.#append(enhancedPacket({ interfaceIndex: 0, at, packet, direction, comment }));
  }

  /** Writes the buffered packets to the file. */
  flush(): void {
    const filled = this.#filled;
    this.#filled = 0;
    if (this.#failure) return;
    try {
      for (let written = 0; written < filled; ) written += writeSync(this.#fd, this.#buffer, written, filled - written);
    } catch (error) {
      this.#failure = failureOf(this.#path, error);
    }
  }

  close(): void {
    this.flush();
    closeSync(this.#fd);
  }

  #append(block: Uint8Array): void {
    if (this.#filled + block.length > BUFFER_BYTES) this.flush();
    this.#buffer.set(block, this.#filled);
    this.#filled += block.length;
  }
}

/**
 * Writes the datagrams of a session to a pcap file. Each gets artificial IPv4 and UDP headers and the time of day at
 * which it crossed this end of the path. Writes asynchronously, for the streaming thread. A session's announcement precedes
 * its datagrams, so that Wireshark knows them as RTP.
 */
export class DatagramCapture {
  readonly #file: WriteStream;
  readonly #datagrams = new CapturedDatagrams();
  /** Records before the first announcement; `undefined` after it. */
  #held: Uint8Array[] | undefined = [];
  /** Time of the first of these. */
  #heldFromMs: number | undefined;

  static async open(path: string, onFailure: (error: Error) => void): Promise<DatagramCapture> {
    requireReader(path);
    const file = createWriteStream(path);
    await new Promise<void>((resolve, reject) => {
      file.once('open', () => resolve());
      file.once('error', (error) => reject(failureOf(path, error)));
    });
    file.on('error', (error) => onFailure(failureOf(path, error)));
    return new DatagramCapture(file);
  }

  private constructor(file: WriteStream) {
    this.#file = file;
    file.write(pcapHeader());
  }

  /** @param direction `in`: from the sender to the receiver. */
  write(direction: 'in' | 'out', datagram: Uint8Array): void {
    if (UDP_IP_HEADER_BYTES + datagram.length > SNAPSHOT_BYTES || this.#file.destroyed) return;
    const packet = this.#datagrams.wrap(direction === 'in' ? 'forward' : 'back', datagram);
    const atMs = timeOfDayMs();
    const record = pcapRecord(atMs, packet);
    if (!this.#held) return void this.#file.write(record);
    this.#heldFromMs ??= atMs;
    this.#held.push(record);
    if (this.#held.length >= HELD_MAX) this.#release();
  }

  /** Describes the datagrams of a session, those before the first description included. */
  announce(session: CapturedSession): void {
    const description = describeCapture(session);
    if (description !== undefined && !this.#file.destroyed) {
      const atMs = this.#held && this.#heldFromMs;
      this.#file.write(pcapRecord(atMs ?? timeOfDayMs(), this.#datagrams.announce(description)));
    }
    this.#release();
  }

  #release(): void {
    for (const record of this.#held ?? []) this.#file.write(record);
    this.#held = undefined;
  }

  close(): Promise<void> {
    if (!this.#file.destroyed) this.#release();
    return new Promise((resolve) => {
      if (this.#file.destroyed) resolve();
      else this.#file.end(() => resolve());
    });
  }
}

/** Time of day, milliseconds since 1970, with fractions. */
const timeOfDayMs = (): number => performance.timeOrigin + performance.now();

const failureOf = (path: string, error: unknown): Failure =>
  new Failure(`cannot write the capture ${path}: ${causeOf(error)}`);
