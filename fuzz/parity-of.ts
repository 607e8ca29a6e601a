/** RFC 5109 §8, written down as bit strings: 8 bytes of the header, the length, then what follows the fixed header. */
export function parityOf(packets: readonly Uint8Array[], isLong = false): Uint8Array {
  const size = Math.max(...packets.map(({ length }) => length - 12));
  const strings = packets.map((packet) => {
    const length = packet.length - 12;
    return [
      ...packet.slice(0, 8),
      length >> 8,
      length & 0xff,
      ...packet.slice(12),
      ...new Array<number>(size - length).fill(0),
    ];
  });
  const sum = strings.reduce((one, other) => one.map((byte, at) => byte ^ other[at]!));
  const base = (packets[0]![2]! << 8) | packets[0]![3]!;
  const mask = new Array<number>(isLong ? 6 : 2).fill(0);
  for (const packet of packets) {
    const bit = ((((packet[2]! << 8) | packet[3]!) - base) & 0xffff) % 48;
    mask[bit >> 3]! |= 0x80 >> (bit & 7);
  }
  const flags = (sum[0]! & 0x3f) | (isLong ? 0x40 : 0);
  const header = [flags, sum[1]!, base >> 8, base & 0xff, ...sum.slice(4, 8), ...sum.slice(8, 10)];
  return Uint8Array.from([...header, size >> 8, size & 0xff, ...mask, ...sum.slice(10)]);
}
