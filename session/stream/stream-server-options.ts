import type { Identity } from '../../io/crypto/identity.ts';
import type { Log } from '../../io/os/log.ts';
import type { MediaSource } from '../../io/sources/media-source.ts';
import type { AccessUnit } from '../../protocol/access-unit.ts';

export interface StreamServerOptions {
  readonly source: MediaSource;
  readonly host: string;
  readonly port: number;
  readonly loop: boolean;
  /** Largest UDP payload, bytes. */
  readonly datagramBytesMax: number;
  readonly receiversMax: number;
  /** Certificate and key: control and media are encrypted. Without it they are not. */
  readonly identity?: Identity | undefined;
  /** Passphrase that receivers must know; requires an identity. */
  readonly passphrase?: string | undefined;
  /** Limit of sent packets retained for retransmission, bytes, shared by all receivers. */
  readonly historyBytes?: number | undefined;
  /** Limit of receivers per IPv4 address or IPv6 /64, except loopback. Default: half of `receiversMax`. */
  readonly receiversPerAddressMax?: number;
  readonly log: Log;
  /** Called for each access unit as it enters the stream. */
  readonly onUnit?: (unit: AccessUnit) => void;
  /** The same for its sound. */
  readonly onSound?: (unit: AccessUnit) => void;
  /** Called after the end of the stream, or when the last receiver has left. `error` is set when the source failed. */
  readonly onIdle: (error: unknown) => void;
}
