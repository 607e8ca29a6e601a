import type { AccessUnit } from '../../protocol/access-unit.ts';
import { base64Bytes } from '../../protocol/base/text-codec.ts';
import type { Codec } from '../../protocol/codec/codec.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import type { WelcomeMessage } from '../../protocol/control/control-message.ts';
import type { ReceiverEvent } from '../../receiver/receiver.ts';
import type { ReceiverStatistics } from '../../receiver/receiver-statistics.ts';
import type { ByteTunnelCounters } from '../../sim/tcp/byte-tunnel.ts';
import type { CongestionControlName } from '../../sim/tcp/congestion-control.ts';
import { TCP_DEFAULTS } from '../../sim/tcp/tcp-options.ts';
import { StreamClient, type StreamClientOptions } from './stream-client.ts';

/** How a run of a client ended. */
export type ClientEnd = 'end-of-stream' | 'stopped' | 'sender-stopped';

/** What a stream turned out to be. */
export interface StreamAnnouncement {
  /** Of the video. */
  readonly codec: Codec;
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

/** A client of our own senders: `dropframe://`. */
export const dropframeClient =
  (options: Omit<StreamClientOptions, 'onWaiting' | 'onWelcome' | 'onUnit' | 'onDrop' | 'onDatagram'>) =>
  (events: ClientEvents): Client => {
    const client = new StreamClient({
      ...options,
      ...events,
      onWaiting: (cause) => events.onWaiting(`waiting for the sender at ${options.host}:${options.port} (${cause})`),
      onWelcome: ({ media, parameterSets, latencyMs, position }) =>
        events.onStream({
          codec: codecByName('h264'),
          media,
          parameterSets: parameterSets.map(base64Bytes).filter((set) => set !== undefined),
          latencyMs,
          position,
        }),
    });
    return {
      get sessions() {
        return client.sessions;
      },
      get segments() {
        return client.segments;
      },
      get modelledTcp() {
        const { transport, link, congestionControl = TCP_DEFAULTS.congestionControl } = options;
        return transport === 'tcp' && link ? { congestionControl, sessions: client.modelledTcp } : undefined;
      },
      get stalledFor() {
        return client.stalledFor;
      },
      run: () => client.run(),
      stop: () => client.stop(),
      setPlaying: (playing) => client.setPlaying(playing),
      requestKeyframe: () => client.requestKeyframe(),
    };
  };
