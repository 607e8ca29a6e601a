import type { TransportStreamFormat } from '../codec.ts';
import { withAdts } from './adts.ts';
import { parseAudioSpecificConfig } from './audio-specific-config.ts';

/** AAC in MPEG-TS (ISO/IEC 13818-1 §2.4.4.9, stream type 0x0f): frames with ADTS headers. */
export const AAC_TRANSPORT_STREAM: TransportStreamFormat = {
  streamType: 0x0f,
  streamId: 0xc0,
  write([frame = new Uint8Array(0)], [record] = []) {
    const config = record && parseAudioSpecificConfig(record);
    return (config && withAdts(frame, config)) ?? frame;
  },
};
