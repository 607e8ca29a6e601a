import type { ControlConnection } from '../../io/net/control-connection.ts';
import type { DatagramLengths } from '../../io/net/datagram-runs.ts';
import type { SecureChannel } from '../../io/net/secure-channel.ts';
import type { SoundDescription } from '../../io/sources/media-source.ts';
import type { CodecName } from '../../protocol/codec/codecs.ts';
import type { HelloMessage, ReceiverMessage } from '../../protocol/control/control-message.ts';
import type { Ecn } from '../../protocol/ecn.ts';
import type { HistoryBudget } from '../../sender/history-budget.ts';
import type { BacklogBudget } from './backlog-budget.ts';
import type { StreamPackets } from './session-streams.ts';

/** Options of one receiver's session at a stream server. */
export interface ServerSessionOptions {
  /** True when the source follows the path: the rate control then probes what it carries. */
  readonly follows: boolean;
  readonly hello: HelloMessage;
  /** Codec of the access units. */
  readonly codec: CodecName;
  /** RTP clock rate; that of the codec by default. */
  readonly clockRate?: number | undefined;
  /** Sound of the source; `undefined` without. */
  readonly sound: SoundDescription | undefined;
  /** Control address of the receiver, for the log. */
  readonly peer: string;
  /** Address of the receiver without the port. */
  readonly address: string;
  readonly connection: ControlConnection<ReceiverMessage>;
  /** The connection's TLS; `undefined` when the stream is not encrypted. */
  readonly channel: SecureChannel | undefined;
  /** Largest datagram, UDP payload bytes. */
  readonly datagramBytesMax: number;
  /** Budget for the retained sent packets, bytes, shared by all receivers of the stream. */
  readonly historyBudget: HistoryBudget;
  /** Payloads shared by all receivers of the stream. */
  readonly sharedPackets: StreamPackets;
  /** Limits what waits for slow receivers over TCP. */
  readonly backlogBudget: BacklogBudget;
  readonly sendDatagrams: (
    datagrams: readonly Uint8Array[],
    to: { host: string; port: number },
    lengths: DatagramLengths | undefined,
    ecn: Ecn,
  ) => void;
  /** Sends a datagram without fragmentation; `onRefused` is called when the operating system refuses it. */
  readonly sendProbe: (datagram: Uint8Array, to: { host: string; port: number }, onRefused: () => void) => void;
  /** Called when the path to this address of the receiver is found to carry datagrams of another length. */
  readonly onPathMtu: (bytes: number, to: { host: string; port: number }) => void;
  /** The receiver requests a key frame. Returns the time until the next one, milliseconds; `null`: not known. */
  readonly requestKeyFrame: () => number | null;
  /** Called when the receiver is reachable, playing, and has not refused the stream. */
  readonly onReady: () => void;
  /** Called after everything has been sent and the end has been announced to the receiver. */
  readonly onFinished: () => void;
  /** Called when the receiver was not reached in time; its session must be ended. */
  readonly onUnreachable: (cause: string) => void;
  /** Called when the consent of the address of a path has expired. */
  readonly onConsentLost: (path: number) => void;
  /** Called for the first unit of the sound that its payload format cannot carry in the datagrams of this path, or whose queue is full. */
  readonly onSoundRefused: (bytes: number) => void;
  /** Called when the sender's circuit breaker changes its rate, and when reports on packets are missing or back. `line`: one line for the log. */
  readonly onRateWarning: (line: string) => void;
  /** Called when the sender has broken an invariant and stopped. `line`: one line for the log. */
  readonly onFault: (line: string) => void;
}
