import type { Mp4Format } from '../codec.ts';
import { parseOpusHead } from './opus-head.ts';

const SPECIFIC_BYTES = 11;

/** Opus in MP4 ("Encapsulation of Opus in ISO Base Media File Format", §4.3). */
export const OPUS_MP4: Mp4Format = {
  sampleEntry: 'Opus',
  configurationBox: 'dOps',
  /** Returns the body of an `OpusSpecificBox`: the identification header without its magic, big-endian, version 0. */
  configuration(sets) {
    const head = sets[0] && parseOpusHead(sets[0]);
    if (!head) return undefined;
    const bytes = new Uint8Array(SPECIFIC_BYTES + head.mappingTable.length);
    const view = new DataView(bytes.buffer);
    bytes[1] = head.channels;
    view.setUint16(2, head.preSkip);
    view.setUint32(4, head.inputRate);
    view.setInt16(8, head.gain);
    bytes[10] = head.mappingFamily;
    bytes.set(head.mappingTable, SPECIFIC_BYTES);
    return bytes;
  },
  sample: (parts) => parts[0] ?? new Uint8Array(0),
};
