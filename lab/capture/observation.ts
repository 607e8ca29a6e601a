import { JUMP_MAX, type RtpStream } from './rtp-streams.ts';

/** Fates of the datagrams of a stream on a path, in the order of their sequence numbers. */
export interface PathObservation {
  readonly sides: 'one' | 'two';
  /** Time of sending, microseconds on the sender's clock from the first one on; of lost ones estimated when one-sided. */
  readonly sent: Float64Array;
  /** Time of arrival, microseconds on the receiver's clock, to the same zero; NaN when lost. */
  readonly arrived: Float64Array;
  /** Position in the order of arrival; NaN when lost. */
  readonly rank: Float64Array;
  /** IP packets, bytes; the mean for lost ones when one-sided. */
  readonly bytes: Float64Array;
  /** 1 where `sent` is a time of sending and not only that of the picture which the datagram belongs to. */
  readonly timed: Uint8Array;
  readonly duplicates: number;
  /** Datagrams that came only after the receiver had asked for them again: lost, and sent twice. */
  readonly retransmitted: number;
  /** Datagrams left out because the sequence numbers jumped: another part of the stream is longer. */
  readonly otherParts: number;
  /** RTP clock, ticks per second; `undefined` when both sides were captured. */
  readonly clockRate: number | undefined;
  /** True when timestamps go back in the order of sending, as with B-frames: then they are not times of sending. */
  readonly reorderedPictures: boolean;
}

/** RTP clocks of the common payload formats (RFC 3551 §6, RFC 7587, RFC 6184), ticks per second. */
const CLOCK_RATES = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 90_000, 96_000];
/** Clocks differ by less, and the first and the last delay by less than this time, in a capture that is long enough. */
const CLOCK_TOLERANCE = 0.01;
const DELAYS_DIFFER_US = 200_000;
/** Above this, 44.1 kHz and 48 kHz could be confused. */
const CLOCK_TOLERANCE_MAX = 0.04;
const BACKWARD_MAX = 0.02;
const UNSENT_MAX = 20;
/** Bounds of the sequence numbers of a part, received or not: memory, and those for each packet. */
const PLACES_MAX = 20_000_000;
const PLACES_PER_PACKET_MAX = 1_000;
/** Cycle of the sequence numbers on the wire. */
const CYCLE = 65_536;
/** Packets whose RTP timestamps are compared to find the cycle. */
const SAMPLE_PACKETS = 2_000;

/** First arrivals of the longest part of a stream whose sequence numbers do not jump. */
interface Part {
  readonly first: number;
  readonly count: number;
  /** Index into the stream of the first arrival of each sequence number; −1 when none arrived. */
  readonly arrival: Int32Array;
  readonly duplicates: number;
  readonly retransmitted: number;
  readonly otherParts: number;
}

/** @returns why it is not read, as text */
function longestPart(stream: RtpStream, countsRequests: boolean): Part | string {
  const { sequence } = stream;
  let [from, until] = [0, 0];
  let start = 0;
  let highest = sequence[0]!;
  for (let index = 1; index <= sequence.length; index++) {
    const isEnd = index === sequence.length || sequence[index]! - highest > JUMP_MAX;
    if (isEnd && index - start > until - from) [from, until] = [start, index];
    if (isEnd) [start, highest] = [index, sequence[index] ?? 0];
    else highest = Math.max(highest, sequence[index]!);
  }
  const part = sequence.subarray(from, until);
  const first = part.reduce((least, each) => Math.min(least, each));
  const count = part.reduce((most, each) => Math.max(most, each)) - first + 1;
  if (count > Math.min(PLACES_MAX, PLACES_PER_PACKET_MAX * part.length)) {
    return `its ${part.length} packets span ${count} sequence numbers; a stream has at most ${PLACES_PER_PACKET_MAX} for each packet, and ${PLACES_MAX}`;
  }
  const arrival = new Int32Array(count).fill(-1);
  let [duplicates, retransmitted] = [0, 0];
  for (let index = from; index < until; index++) {
    const place = sequence[index]! - first;
    const requestedAt = stream.requested.get(sequence[index]!);
    if (countsRequests && requestedAt !== undefined && stream.at[index]! > requestedAt) {
      if (arrival[place] === -1) retransmitted++;
    } else if (arrival[place] === -1) arrival[place] = index;
    else duplicates++;
  }
  return { first, count, arrival, duplicates, retransmitted, otherParts: sequence.length - (until - from) };
}

/**
 * Reads a path from a capture at the receiver: losses are gaps of the sequence numbers, and RTP timestamps stand for the
 * times of sending. Only the first datagram of each picture has one.
 * @param clockRate ticks per second; by default the common rate that fits the times of capture
 * @returns why it cannot be read, as text
 */
export function observeReceiver(stream: RtpStream, clockRate?: number): PathObservation | string {
  const part = longestPart(stream, true);
  if (typeof part === 'string') return part;
  const { arrival, count } = part;
  const rate = clockRate ?? guessClock(stream, arrival);
  if (rate === undefined) return 'its RTP timestamps fit no common clock; give it with --clock-rate';
  const [sent, arrived, rank, bytes] = [0, 1, 2, 3].map(() => new Float64Array(count).fill(Number.NaN)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const timed = new Uint8Array(count);
  const base = arrival.find((index) => index >= 0)!;
  let [sum, received, backward, last] = [0, 0, 0, Number.NEGATIVE_INFINITY];
  for (let place = 0; place < count; place++) {
    const index = arrival[place]!;
    if (index < 0) continue;
    const before = place === 0 ? -1 : arrival[place - 1]!;
    sent[place] = ((stream.timestamp[index]! - stream.timestamp[base]!) * 1e6) / rate;
    arrived[place] = stream.at[index]! - stream.at[base]!;
    rank[place] = index;
    bytes[place] = stream.bytes[index]!;
    sum += bytes[place]!;
    received++;
    const isNew = before >= 0 && stream.timestamp[before] !== stream.timestamp[index];
    if (isNew) timed[place] = 1;
    if (sent[place]! < last) backward++;
    last = sent[place]!;
  }
  for (let place = 0; place < count; place++) {
    if (!Number.isNaN(sent[place]!)) continue;
    sent[place] = sent[place - 1] ?? 0;
    bytes[place] = Math.round(sum / received);
  }
  const { duplicates, retransmitted, otherParts } = part;
  const reorderedPictures = backward > BACKWARD_MAX * received;
  const counted = { duplicates, retransmitted, otherParts, clockRate: rate, reorderedPictures };
  return { sides: 'one', sent, arrived, rank, bytes, timed, ...counted };
}

function guessClock({ timestamp, at }: RtpStream, arrival: Int32Array): number | undefined {
  const [first, last] = [arrival.find((index) => index >= 0)!, arrival.findLast((index) => index >= 0)!];
  const span = at[last]! - at[first]!;
  const measured = ((timestamp[last]! - timestamp[first]!) * 1e6) / span;
  const tolerance = Math.min(CLOCK_TOLERANCE_MAX, CLOCK_TOLERANCE + DELAYS_DIFFER_US / span);
  return CLOCK_RATES.find((rate) => Math.abs(measured / rate - 1) < tolerance);
}

/** Reads a path from captures of a stream at both ends, by sequence numbers: addresses and ports may differ. */
export function observeBoth(sender: RtpStream, receiver: RtpStream): PathObservation | string {
  const sentPart = longestPart(sender, true);
  const receivedPart = longestPart(receiver, true);
  if (typeof sentPart === 'string') return sentPart;
  if (typeof receivedPart === 'string') return receivedPart;
  const shift = cycleShift({ stream: sender, part: sentPart }, { stream: receiver, part: receivedPart });
  if (typeof shift === 'string') return shift;
  const arrivalOf = (place: number): number => receivedPart.arrival[place - shift] ?? -1;
  let [first, last, unsent] = [-1, -1, 0];
  for (let place = 0; place < sentPart.count; place++) {
    if (arrivalOf(place) < 0) continue;
    if (sentPart.arrival[place]! < 0) {
      unsent++;
      continue;
    }
    if (first < 0) first = place;
    last = place;
  }
  if (first < 0) return 'no packet is in both captures';
  const sentPlaces: number[] = [];
  for (let place = first; place <= last; place++) if (sentPart.arrival[place]! >= 0) sentPlaces.push(place);
  const lost = sentPlaces.filter((place) => arrivalOf(place) < 0).length;
  // A capture misses some packets; at the wrong end it misses those that the path lost.
  if (unsent > sentPlaces.length / 20 || (unsent > UNSENT_MAX && unsent > 4 * lost)) {
    return `${unsent} packets are only in the second capture; the sender's capture comes first`;
  }
  const sentBase = sender.at[sentPart.arrival[first]!]!;
  const value = (of: (place: number, index: number) => number) =>
    Float64Array.from(sentPlaces, (place) => {
      const index = arrivalOf(place);
      return index < 0 ? Number.NaN : of(place, index);
    });
  return {
    sides: 'two',
    sent: Float64Array.from(sentPlaces, (place) => sender.at[sentPart.arrival[place]!]! - sentBase),
    arrived: value((_, index) => receiver.at[index]! - sentBase),
    rank: value((_, index) => index),
    bytes: Float64Array.from(sentPlaces, (place) => sender.bytes[sentPart.arrival[place]!]!),
    timed: new Uint8Array(sentPlaces.length).fill(1),
    duplicates: receivedPart.duplicates,
    retransmitted: receivedPart.retransmitted,
    otherParts: sentPart.otherParts + receivedPart.otherParts,
    clockRate: undefined,
    reorderedPictures: false,
  };
}

interface End {
  readonly stream: RtpStream;
  readonly part: Part;
}

/**
 * Returns the place of the receiver's first packet in the sender's part. The ends extend sequence numbers from where their
 * captures begin, so they may differ by cycles: it is the cycle in which most RTP timestamps agree.
 */
function cycleShift(sender: End, receiver: End): number | string {
  const { part: sent } = sender;
  const { part: received } = receiver;
  const step = Math.max(1, Math.floor(received.count / SAMPLE_PACKETS));
  const sample: number[] = [];
  for (let place = 0; place < received.count; place += step) if (received.arrival[place]! >= 0) sample.push(place);
  const offset = received.first - sent.first;
  let [best, most, compared] = [offset, 0, 0];
  for (
    let shift = offset - Math.floor((offset + received.count - 1) / CYCLE) * CYCLE;
    shift < sent.count;
    shift += CYCLE
  ) {
    let agreed = 0;
    for (const place of sample) {
      const index = sent.arrival[place + shift] ?? -1;
      if (index < 0) continue;
      compared++;
      const distance = sender.stream.timestamp[index]! - receiver.stream.timestamp[received.arrival[place]!]!;
      if (distance % 2 ** 32 === 0) agreed++;
    }
    if (agreed > most) [best, most] = [shift, agreed];
  }
  if (compared === 0) return 'no packet is in both captures';
  if (most > 0) return best;
  return 'packets with the same sequence numbers have other RTP timestamps; both captures have to be of one time, without a relay that rewrites them';
}
