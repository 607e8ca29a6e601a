import type { AccessUnit } from '../../protocol/access-unit.ts';
import type { CodecName } from '../../protocol/codec/codecs.ts';
import type { ControlEnd } from '../../protocol/control/control-client.ts';
import type { WelcomeMessage } from '../../protocol/control/control-message.ts';
import type { ReceiverEvent } from '../../receiver/receiver.ts';
import type { ReceiverStatistics } from '../../receiver/receiver-statistics.ts';
import type { ByteTunnelCounters } from '../../sim/tcp/byte-tunnel.ts';
import type { CongestionControlName } from '../../sim/tcp/congestion-control.ts';

/** How a run of a client ended. */
export type ClientEnd = ControlEnd;

/** What a stream turned out to be. */
export interface StreamAnnouncement {
  /** Of the video. */
  readonly codecName: CodecName;
  readonly media: WelcomeMessage['media'];
  readonly parameterSets: readonly Uint8Array[];
  /** The play-out delay in force. */
  readonly latencyMs: number;
  readonly position: WelcomeMessage['position'];
}

/** What a client tells the run that it works for. */
export interface ClientEvents {
  /** There is nothing to receive yet, or no more; one line. */
  readonly onWaiting: (text: string) => void;
  /** A stream begins; again after a sender's restart, or when its pictures change. */
  readonly onStream: (stream: StreamAnnouncement) => void;
  readonly onUnit: (unit: AccessUnit) => void;
  readonly onDrop: (event: ReceiverEvent & { kind: 'dropped' }) => void;
  readonly onDatagram: (direction: 'in' | 'out', datagram: Uint8Array) => void;
}

/** What a modelled TCP did. */
export interface ModelledTcpRecord {
  readonly congestionControl: CongestionControlName;
  /** The connection of each session, the present one last. */
  readonly sessions: readonly ByteTunnelCounters[];
}

/** Something that receives: from a sender of ours, or from a stranger's. */
export interface Client {
  /** The statistics of each session, the present one last. */
  readonly sessions: readonly ReceiverStatistics[];
  /** TCP segments of all sessions, as the model or the kernel counted them; `undefined`: it cannot be asked. */
  readonly segments: number | undefined;
  /** `undefined`: no TCP is modelled. */
  readonly modelledTcp: ModelledTcpRecord | undefined;
  /** For how long the picture has stood still for want of a frame, microseconds. */
  readonly stalledFor: number;
  run(): Promise<ClientEnd>;
  stop(): void;
  /** Whether the sender is to send, where there is a way to tell it. */
  setPlaying(playing: boolean): void;
  /** Asks the sender for a key frame, where there is a way to ask. */
  requestKeyframe(): void;
}
