import type { SoundRecord } from '../stream/client.ts';
import { type FrameSummary, type PacketSummary, sumFrames, sumPackets } from './class-summary.ts';

/** Fates of the sound of a run. */
export interface SoundSummary {
  /** Access units by class. */
  readonly frames: FrameSummary;
  readonly packets: PacketSummary;
  /** Sound that was not there when it was due, lost or late, which a player conceals, milliseconds. */
  readonly concealedMs: number;
  /** Packets requested again. */
  readonly requests: number;
  /** Bytes of the released access units, and of the RTP headers of their packets. */
  readonly bytes: { readonly payload: number; readonly rtpHeaders: number };
}

export function summarizeSound({ sessions, concealedMs }: SoundRecord): SoundSummary {
  return {
    frames: sumFrames(sessions),
    packets: sumPackets(sessions),
    concealedMs: Math.round(concealedMs),
    requests: sessions.reduce((sum, { requests }) => sum + requests, 0),
    bytes: {
      payload: sessions.reduce((sum, { payloadBytes }) => sum + payloadBytes, 0),
      rtpHeaders: sessions.reduce((sum, { rtpHeaderBytes }) => sum + rtpHeaderBytes, 0),
    },
  };
}
