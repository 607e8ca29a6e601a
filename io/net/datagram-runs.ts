/** Lengths by which both ends of a stream move several datagrams in one system call. */
export interface DatagramLengths {
  /** Length of a full media packet, UDP payload bytes: a run of these may be sent at once. */
  readonly fullBytes: number;
  /** Longest datagram, UDP payload bytes, at least `fullBytes`: what is received longer than this is such a run. */
  readonly bytesMax: number;
}

/** Datagrams per segmented send; Linux accepts at most 64. */
const SEGMENTS_MAX = 50;
/** Bytes per segmented send: the longest UDP payload over IPv4. */
const RUN_BYTES_MAX = 65_507;

/**
 * Returns the end of the run of full datagrams that starts at `first`, with one shorter datagram at its end. A run is
 * longer than any datagram, so that the receiver can distinguish the two.
 */
export function runEnd(
  datagrams: readonly Uint8Array[],
  first: number,
  { fullBytes, bytesMax }: DatagramLengths,
): number {
  const limit = Math.min(datagrams.length, first + SEGMENTS_MAX, first + Math.floor(RUN_BYTES_MAX / fullBytes));
  let last = first;
  while (last < limit && datagrams[last]!.length === fullBytes) last++;
  if (last === first) return first + 1;
  const bytes = (last - first) * fullBytes;
  const shorter = last < limit ? datagrams[last]!.length : fullBytes;
  if (shorter < fullBytes && bytes + shorter > bytesMax) return last + 1;
  return bytes > bytesMax ? last : first + 1;
}

/** Lengths by which `runEnd` finds the whole of these datagrams to be a run. */
export const runLengths = (datagrams: readonly Uint8Array[]): DatagramLengths => {
  const fullBytes = datagrams[0]!.length;
  return { fullBytes, bytesMax: fullBytes };
};

/** Joins datagrams for one send; packets of a frame are adjacent in memory, so nothing is copied. */
export function joined(datagrams: readonly Uint8Array[], first: number, last: number): Uint8Array {
  const start = datagrams[first]!;
  let end = start.byteOffset + start.length;
  let adjacent = true;
  let length = start.length;
  for (let index = first + 1; index < last; index++) {
    const datagram = datagrams[index]!;
    if (datagram.buffer !== start.buffer || datagram.byteOffset !== end) adjacent = false;
    end += datagram.length;
    length += datagram.length;
  }
  if (adjacent) return new Uint8Array(start.buffer, start.byteOffset, length);
  const copy = new Uint8Array(length);
  let offset = 0;
  for (let index = first; index < last; index++) {
    copy.set(datagrams[index]!, offset);
    offset += datagrams[index]!.length;
  }
  return copy;
}
