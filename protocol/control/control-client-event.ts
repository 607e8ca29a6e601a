import type { EndOfStreamMessage, SentMessage } from './control-message.ts';
import type { AcceptedWelcome } from './stream-choice.ts';

/** End of a receiver's run: the stream was over, its user stopped it, or the sender said goodbye and did not return. */
export type ControlEnd = 'end-of-stream' | 'stopped' | 'sender-stopped';

/** Why a run failed. */
export type ControlFailure =
  | { readonly kind: 'refused'; readonly reason: string }
  /** The sender failed authentication. */
  | { readonly kind: 'untrusted'; readonly reason: string }
  /** The sender has no stream that this program can receive. */
  | { readonly kind: 'unknown-codec'; readonly reason: string }
  /** No frame was ever handed on. */
  | { readonly kind: 'no-stream'; readonly cause: string }
  /** The sender answered on the control connection, but no datagram of it ever arrived. */
  | { readonly kind: 'no-datagrams' }
  /** The sender kept answering on the control connection, but its media stopped after so many frames. */
  | { readonly kind: 'media-lost'; readonly frames: number }
  /** The sender disappeared without a goodbye, after so many frames. */
  | { readonly kind: 'sender-lost'; readonly cause: string; readonly frames: number };

/**
 * News for the user. `no-datagrams`: the control connection works, but no datagram arrives; `tcp-instead`: the same, and
 * the media comes over TCP from now on; `path-silent`: datagrams have stopped, and a new session is opened; `media-outage`:
 * no frame for the timeout, though the sender is alive, and a new session is opened.
 */
export type ControlNotice = 'no-datagrams' | 'tcp-instead' | 'path-silent' | 'media-outage';

/**
 * Cause of a session: it is the `first`; a notice ended the one before; the sender said goodbye and returned; the
 * control connection closed; the media path failed at this end; or the session before had no frame for the timeout.
 */
export type SessionCause =
  | 'first'
  | Exclude<ControlNotice, 'no-datagrams'>
  | 'sender-stopped'
  | 'connection-closed'
  | 'path-failed'
  | 'no-media';

/** Instructions to the driver, in the order in which they are to be carried out. */
export type ControlClientEvent =
  /** Open a control connection; `handleConnected` or `handleClosed` answers. */
  | { readonly kind: 'connect' }
  /** Close the connection at once, for this cause. */
  | { readonly kind: 'cut'; readonly cause: string }
  /** Say goodbye, then close the connection. */
  | { readonly kind: 'farewell'; readonly reason: string }
  /** A session begins: open its media over this transport. */
  | {
      readonly kind: 'welcomed';
      readonly welcome: AcceptedWelcome;
      readonly transport: 'udp' | 'tcp';
      readonly cause: SessionCause;
    }
  /** Datagrams have stopped: prove this end's address again, as it may have changed on the way. */
  | { readonly kind: 'prove-address' }
  /** Running totals from the sender. */
  | { readonly kind: 'sent'; readonly total: SentMessage }
  | { readonly kind: 'notice'; readonly notice: ControlNotice }
  /** Final totals from the sender. */
  | { readonly kind: 'end-of-stream'; readonly total: EndOfStreamMessage }
  /** Nothing more will arrive: decide the remaining frames. */
  | { readonly kind: 'finish-media' }
  /** The session is over: close its media. */
  | { readonly kind: 'close-media' }
  /** Send the receiver's statistics. */
  | { readonly kind: 'report' }
  /** No sender is reachable; emitted when the cause changes. */
  | { readonly kind: 'waiting'; readonly cause: string }
  | { readonly kind: 'over'; readonly end: ControlEnd }
  | { readonly kind: 'failed'; readonly failure: ControlFailure };
