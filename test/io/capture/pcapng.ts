export interface CapturedPacket {
  /** `undefined` when it is not stated. */
  readonly direction: 'in' | 'out' | undefined;
  /** Time, seconds since 1970. */
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly comment: string | undefined;
}

const ENHANCED_PACKET = 6;
const COMMENT = 1;
const FLAGS = 2;

/** Returns the packets of a little-endian pcapng file with microseconds; checks both length fields of each block. */
export function readPcapng(file: Buffer): { readonly linkType: number; readonly packets: CapturedPacket[] } {
  const packets: CapturedPacket[] = [];
  let linkType = -1;
  for (let start = 0; start < file.length; ) {
    const type = file.readUInt32LE(start);
    const length = file.readUInt32LE(start + 4);
    if (file.readUInt32LE(start + length - 4) !== length) throw new Error(`block at ${start}: two lengths`);
    if (type === 1) linkType = file.readUInt16LE(start + 8);
    if (type === ENHANCED_PACKET) packets.push(readPacket(file.subarray(start + 8, start + length - 4)));
    start += length;
  }
  return { linkType, packets };
}

function readPacket(body: Buffer): CapturedPacket {
  const at = (body.readUInt32LE(4) * 2 ** 32 + body.readUInt32LE(8)) / 1e6;
  const length = body.readUInt32LE(12);
  let direction: 'in' | 'out' | undefined;
  let comment: string | undefined;
  for (let offset = 20 + Math.ceil(length / 4) * 4; offset + 4 <= body.length; ) {
    const code = body.readUInt16LE(offset);
    const value = body.subarray(offset + 4, offset + 4 + body.readUInt16LE(offset + 2));
    if (code === FLAGS) direction = (value[0]! & 3) === 1 ? 'in' : 'out';
    if (code === COMMENT) comment = value.toString();
    offset += 4 + Math.ceil(value.length / 4) * 4;
  }
  return { direction, at, bytes: body.subarray(20, 20 + length), comment };
}
