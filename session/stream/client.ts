import type { AccessUnit } from '../../protocol/access-unit.ts';
import type { Microseconds } from '../../protocol/base/units.ts';
import type { CapturedStream } from '../../protocol/capture/captured-session.ts';
import type { CodecName } from '../../protocol/codec/codecs.ts';
import type { ControlEnd } from '../../protocol/control/control-client-event.ts';
import type { ReceiverEvent } from '../../receiver/receiver.ts';
import type { ReceiverStatistics } from '../../receiver/receiver-statistics.ts';
import type { ByteTunnelCounters } from '../../sim/tcp/byte-tunnel.ts';
import type { CongestionControlName } from '../../sim/tcp/congestion-control.ts';

/** End of a client's run. */
export type ClientEnd = ControlEnd;

/** The sender's description of its media. */
export interface AnnouncedMedia {
  /** Title: a file name without its path. */
  readonly name: string;
  /** RFC 6381 string of the video, such as `avc1.64001f`. */
  readonly codec: string;
  /** Luma samples after cropping. */
  readonly width: number;
  readonly height: number;
  /** Rotation clockwise that a player applies, degrees; `undefined`: none. */
  readonly rotation?: 90 | 180 | 270 | undefined;
  /** `null` when unknown or not constant. */
  readonly framesPerSecond: number | null;
  /** Milliseconds; `null` when endless or unknown. */
  readonly durationMs: number | null;
  /** `copy` or `x264`. */
  readonly mode: string;
}

/** The sender's description of its sound. */
export interface SoundAnnouncement {
  readonly codecName: CodecName;
  /** RFC 6381 string, such as `opus`. */
  readonly decoder: string;
  /** Configuration of the decoder. */
  readonly parameterSets: readonly Uint8Array[];
}

/** Fates of the sound. */
export interface SoundRecord {
  /** Statistics of each session with sound, the current one last. */
  readonly sessions: readonly ReceiverStatistics[];
  /** Sound that was lost or late and must be concealed, milliseconds, over all sessions. */
  readonly concealedMs: number;
}

/** Description of a received stream. */
export interface StreamAnnouncement {
  /** Codec of the video. */
  readonly codecName: CodecName;
  readonly media: AnnouncedMedia;
  readonly parameterSets: readonly Uint8Array[];
  /** `undefined` without sound. */
  readonly sound?: SoundAnnouncement | undefined;
  /** Play-out delay in force, milliseconds. */
  readonly latencyMs: number;
  /** `start`: from the beginning of the source; `live`: joined in the middle. */
  readonly position: 'start' | 'live';
}

/** Callbacks from a client to its run. */
export interface ClientEvents {
  /** Called in one line when there is nothing to receive. */
  readonly onWaiting: (text: string) => void;
  /**
   * Called when a stream begins, after a restart of the sender, and when the pictures change.
   * @param onPath RTP streams of the session, for a capture.
   */
  readonly onStream: (stream: StreamAnnouncement, onPath: readonly CapturedStream[]) => void;
  /** A unit to decode; `decodeOnly`: it is too late to be shown, but others refer to it. */
  readonly onUnit: (unit: AccessUnit, how: { readonly decodeOnly: boolean }) => void;
  /** A unit of the recording, whose order is its own where the viewer is shown damage. */
  readonly onRecordedUnit: (unit: AccessUnit) => void;
  /** A unit of the sound, on the timeline of the pictures, for the viewer and for the recording. */
  readonly onSound?: (unit: AccessUnit) => void;
  readonly onDrop: (event: ReceiverEvent & { kind: 'dropped' }) => void;
  readonly onDatagram: (direction: 'in' | 'out', datagram: Uint8Array) => void;
}

/** Datagrams that were lost on one of the two machines, as opposed to the path between them. */
export interface HostFaults {
  /** Dropped by this machine's kernel before they were read; `undefined` when the system does not report it. */
  readonly drops: number | undefined;
  /** Refused to be sent by this machine's operating system, and by the sender's. */
  readonly refusedHere: number;
  readonly refusedBySender: number;
  /** Forged or replayed datagrams; `undefined` when they are not encrypted. */
  readonly notAuthentic: number | undefined;
}

/** Returns the sum over all sessions. */
export const sumHostFaults = (all: readonly HostFaults[]): HostFaults => ({
  drops: known(all.map(({ drops }) => drops)),
  refusedHere: all.reduce((sum, { refusedHere }) => sum + refusedHere, 0),
  refusedBySender: all.reduce((sum, { refusedBySender }) => sum + refusedBySender, 0),
  notAuthentic: known(all.map(({ notAuthentic }) => notAuthentic)),
});

/** Returns the sum of what is known; `undefined` when nothing is. */
const known = (counts: readonly (number | undefined)[]): number | undefined =>
  counts.reduce((sum, count) => (count === undefined ? sum : (sum ?? 0) + count), undefined);

/** Counters of a modelled TCP. */
export interface ModeledTcpRecord {
  readonly congestionControl: CongestionControlName;
  /** Counters of the connections: of earlier sessions together, the current one last. */
  readonly sessions: readonly ByteTunnelCounters[];
}

/**
 * Cause of a session. `first`: the first one; `tcp-instead`: no datagram arrived over UDP; `path-silent`: datagrams
 * stopped, and `media-outage`: frames stopped, though the sender answered; `no-media`: no frame arrived;
 * `sender-stopped`: the sender said goodbye and returned; `connection-closed`: the control connection closed;
 * `path-failed`: the media path failed at this end; `source-restarted`: a plain RTP source restarted.
 */
export type ClientSessionCause =
  | 'first'
  | 'tcp-instead'
  | 'path-silent'
  | 'media-outage'
  | 'no-media'
  | 'sender-stopped'
  | 'connection-closed'
  | 'path-failed'
  | 'source-restarted';

/** A receiver of a stream from dropframe or another program. */
export interface Client {
  /** Statistics of each session, the current one last; of many sessions, the oldest of a transport are added up in one row. */
  readonly sessions: readonly ReceiverStatistics[];
  /** Number of sessions where it is more than that of the rows; absent: there is a row for each. */
  readonly sessionCount?: number;
  /** Fates of the sound; `undefined` where there was none. */
  readonly sound?: SoundRecord | undefined;
  /** Transport of each of these rows. */
  readonly transports: readonly ('udp' | 'tcp' | 'rtp')[];
  /** Cause of each of these rows. */
  readonly sessionCauses: readonly ClientSessionCause[];
  /** True when control and media are encrypted. */
  readonly encrypted: boolean;
  /** TCP segments of all sessions over TCP, as counted by the model or the kernel; `undefined` when unknown. */
  readonly segments: number | undefined;
  /** Datagrams lost on the machines themselves, over all sessions. */
  readonly hostFaults: HostFaults;
  /** `undefined` without a modelled TCP. */
  readonly modeledTcp: ModeledTcpRecord | undefined;
  /** Duration of the current stall, microseconds. */
  readonly stalledFor: Microseconds;
  run(): Promise<ClientEnd>;
  stop(): void;
  /** Pauses or resumes the sender, where there is a control channel. */
  setPlaying(playing: boolean): void;
  /** Requests a key frame, where there is a return path. */
  requestKeyFrame(): void;
}
