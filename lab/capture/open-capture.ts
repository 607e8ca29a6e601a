import { resolve } from 'node:path';
import { chunksOf } from '../../io/capture/read-capture-file.ts';
import { Failure } from '../../io/os/failure.ts';
import { DUPLICATE_SHARE_MAX } from './fit-path.ts';
import { observeBoth, observeReceiver, type PathObservation } from './observation.ts';
import { type CaptureContents, CaptureReader, type RtpStream } from './rtp-streams.ts';

export interface CaptureOptions {
  /** Captures; with two, the sender's first. */
  readonly files: readonly string[];
  readonly ssrc?: number | undefined;
  readonly clockRate?: number | undefined;
}

/** A stream of a capture, ready to be fitted. */
export interface OpenedCapture {
  readonly observation: PathObservation;
  readonly stream: RtpStream;
  /** Streams of the file, with that one. */
  readonly streams: readonly RtpStream[];
  /** True when one file has both ends on one clock, which tells the least delay. */
  readonly isOneClock: boolean;
  /** Least round-trip time of the whole path, microseconds; `undefined` when the capture does not tell it. */
  readonly roundTripUs: number | undefined;
  readonly warnings: readonly string[];
}

/** Round trips below this are those between the capture and a receiver on the same machine, microseconds. */
const NEAR_US = 500;
const OFFLOAD_OFF = 'for the time of each, capture with `ethtool -K IF tx-udp-segmentation off`';
/** A path is not told from fewer packets. */
const PACKETS_MIN = 100;

/** Reads the captures of a path. @throws {Failure} with one line when they tell nothing */
export async function openCapture({ files, ssrc, clockRate }: CaptureOptions): Promise<OpenedCapture> {
  const [path = '', otherPath = ''] = files;
  if (otherPath !== '' && resolve(path) === resolve(otherPath)) {
    throw new Failure(`both captures are ${path}: give the one of the sender and the one of the receiver`, 2);
  }
  const warnings: string[] = [];
  const read: CaptureContents[] = [];
  for (const file of files) read.push(await contentsOf(file, warnings));
  const [first, second] = read as [CaptureContents, CaptureContents?];
  const wanted = choose(first, second, ssrc, path, otherPath);
  const isOneClock = !second && wanted.sender !== wanted.receiver;
  const stream = wanted.sender;
  const observation =
    second || isOneClock ? observeBoth(wanted.sender, wanted.receiver) : observeReceiver(wanted.receiver, clockRate);
  if (typeof observation === 'string') throw new Failure(`${path}: stream ${name(stream)}: ${observation}`);
  if (observation.sent.length < PACKETS_MIN) {
    throw new Failure(
      `${path}: stream ${name(stream)} has ${observation.sent.length} packets; a fit needs ${PACKETS_MIN}`,
    );
  }
  if (isOneClock)
    warnings.push(
      `${path} has both ends of the path, at interfaces ${wanted.sender.interfaceIndex} and ${wanted.receiver.interfaceIndex}`,
    );
  if (second && wanted.sender.flow !== wanted.receiver.flow) {
    warnings.push(`addresses differ between both captures (NAT): ${wanted.sender.flow}, then ${wanted.receiver.flow}`);
  }
  const received = observation.arrived.reduce((sum, at) => (Number.isNaN(at) ? sum : sum + 1), 0);
  if (observation.duplicates > DUPLICATE_SHARE_MAX * received) {
    warnings.push(
      `${observation.duplicates} packets are in the capture more than once: capture on one interface, not 'any'; the line has no dup`,
    );
  }
  const others = first.streams.filter(({ ssrc: other }) => other !== stream.ssrc).map(name);
  if (others.length > 0 && ssrc === undefined) {
    const more = others.length > 3 ? ` and ${others.length - 3} more` : '';
    warnings.push(`${name(stream)} is fitted; ${others.slice(0, 3).join(', ')}${more} are not: choose with --ssrc`);
  }
  if (stream.restarts > 0) {
    warnings.push(
      `sequence numbers jump ${stream.restarts} times; the longest part is fitted, ${observation.otherParts} packets are left out`,
    );
  }
  return {
    observation,
    stream,
    streams: first.streams,
    roundTripUs: isOneClock ? undefined : roundTrip(first, second, wanted),
    isOneClock,
    warnings,
  };
}

async function contentsOf(path: string, warnings: string[]): Promise<CaptureContents> {
  const reader = new CaptureReader();
  for await (const chunk of chunksOf(path)) {
    const malformed = reader.push(chunk);
    if (malformed !== undefined) throw new Failure(`${path} is not a capture that can be read: ${malformed}`);
    if (reader.isFull) break;
  }
  const contents = reader.contents;
  const { packets, datagrams, truncated, skipped, streams } = contents;
  if (contents.beyondLimit) warnings.push(`${path}: only the first ${contents.rtpPackets} RTP packets are read`);
  else if (contents.cutShort) warnings.push(`${path} ends within a packet; what precedes it is used`);
  if (contents.joined > 0) {
    warnings.push(`${path}: ${contents.joined} datagrams hold several packets (segmentation offload); ${OFFLOAD_OFF}`);
  }
  if (contents.longAndCut > 0) {
    warnings.push(
      `${path}: ${contents.longAndCut} datagrams are longer than Ethernet carries, perhaps several packets (segmentation offload), and cut; ${OFFLOAD_OFF}`,
    );
  }
  if (streams.length === 0) throw new Failure(`${path}: ${nothing({ packets, datagrams, truncated, skipped })}`);
  return contents;
}

/** Why a capture has no stream. */
function nothing(read: Pick<CaptureContents, 'packets' | 'datagrams' | 'truncated' | 'skipped'>): string {
  const { packets, datagrams, truncated, skipped } = read;
  if (packets === 0) return 'it contains no packets';
  if (skipped['link type'] === packets)
    return `its link type is not read; capture on an Ethernet, IP or "any" interface`;
  if (skipped.truncated && datagrams === 0)
    return 'its packets are cut before their UDP header; capture at least 96 bytes of each';
  if (datagrams === 0) return `none of its ${packets} packets is UDP`;
  const cut = truncated > 0 ? '; packets are cut: capture at least 96 bytes of each' : '';
  return `no RTP in its ${datagrams} UDP datagrams (a stream has at least 10 packets of one source)${cut}`;
}

interface Chosen {
  readonly sender: RtpStream;
  readonly receiver: RtpStream;
}

function choose(
  first: CaptureContents,
  second: CaptureContents | undefined,
  ssrc: number | undefined,
  path: string,
  otherPath: string,
): Chosen {
  const fits = (stream: RtpStream) => ssrc === undefined || stream.ssrc === ssrc;
  for (const sender of first.streams.filter(fits)) {
    if (!second) return bothEnds(first, sender);
    const receiver = second.streams.find((each) => each.ssrc === sender.ssrc);
    if (receiver) return { sender, receiver };
  }
  if (ssrc !== undefined) {
    const isSecond = second !== undefined && first.streams.some(fits);
    const [file, streams] = isSecond ? [otherPath, second.streams] : [path, first.streams];
    const known = streams.slice(0, 5).map(name).join(', ');
    throw new Failure(`${file} has no stream with that SSRC; it has ${known}`);
  }
  throw new Failure(
    `${path} and ${otherPath} have no stream in common: a relay between them has given it another SSRC`,
  );
}

/** A stream that was captured at two interfaces of one file: the sender's is where its packets come first. */
function bothEnds({ streams }: CaptureContents, stream: RtpStream): Chosen {
  const other = streams.find((each) => each.ssrc === stream.ssrc && each !== stream);
  if (!other) return { sender: stream, receiver: stream };
  const at = new Map<number, number>();
  // The first packet of each number: later ones are of later cycles.
  for (const [index, sequence] of stream.sequence.entries()) {
    if (!at.has(sequence & 0xffff)) at.set(sequence & 0xffff, stream.at[index]!);
  }
  const common = other.sequence.findIndex((sequence) => at.has(sequence & 0xffff));
  const isSecond = common < 0 || at.get(other.sequence[common]! & 0xffff)! <= other.at[common]!;
  return isSecond ? { sender: stream, receiver: other } : { sender: other, receiver: stream };
}

const name = ({ ssrc, at }: RtpStream): string => `0x${ssrc.toString(16).padStart(8, '0')} (${at.length} packets)`;

/**
 * Least round-trip time: from reports that answer the sender's, seen at the sender, or from a stream in each direction at
 * both ends, whose unknown clock offsets cancel.
 */
function roundTrip(
  first: CaptureContents,
  second: CaptureContents | undefined,
  { sender, receiver }: Chosen,
): number | undefined {
  const reported = least([...sender.roundTrips, ...receiver.roundTrips].filter((each) => each > NEAR_US));
  if (reported !== undefined || !second) return reported;
  const [from = '', to = ''] = sender.flow.split(' > ');
  const backFlow = `${to} > ${from}`;
  const backSender = first.streams.find(({ flow }) => flow === backFlow);
  const backReceiver = backSender && second.streams.find(({ ssrc }) => ssrc === backSender.ssrc);
  if (!backSender || !backReceiver) return undefined;
  const [forward, back] = [observeBoth(sender, receiver), observeBoth(backReceiver, backSender)];
  if (typeof forward === 'string' || typeof back === 'string') return undefined;
  const transit = ({ sent, arrived }: PathObservation): number =>
    arrived.reduce((best, at, index) => (Number.isNaN(at) ? best : Math.min(best, at - sent[index]!)), Infinity);
  return transit(forward) + transit(back);
}

const least = (values: readonly number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((one, other) => Math.min(one, other));
