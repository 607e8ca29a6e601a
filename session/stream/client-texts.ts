import { formatAddress } from '../../io/net/host-address.ts';
import { causeOf, Failure } from '../../io/os/failure.ts';
import type { ControlFailure, ControlNotice } from '../../protocol/control/control-client-event.ts';

interface Peer {
  readonly host: string;
  readonly port: number;
}

/** Message of a client about its path: a notice of the control channel, or why there is no second path. */
export type ClientNotice = ControlNotice | { readonly withoutSecondPath: string };

/** Describes a notice about the path in one line. */
export function noticeText(
  notice: ClientNotice,
  { host, port, timeoutMs }: Peer & { readonly timeoutMs: number },
): string {
  const sender = `the sender at ${formatAddress({ host, port })}`;
  const udp = `UDP port ${port}`;
  if (typeof notice === 'object') return `one path only: ${notice.withoutSecondPath}`;
  switch (notice) {
    case 'no-datagrams':
      return `${sender} answers on TCP, but no datagram from it arrives: ${udp} appears to be blocked; --transport tcp works without it`;
    case 'tcp-instead':
      return `${sender} answers on TCP, but no datagram from it arrives: ${udp} appears to be blocked; switching to TCP`;
    case 'path-silent':
      return `no datagram for 2 s, though ${sender} answers on TCP: opening a new session`;
    case 'media-outage':
      return `no frame for ${timeoutMs / 1_000} s, though ${sender} answers on TCP: opening a new session`;
  }
}

/** Returns the cause of a failed run, and the remedy. */
export function clientFailure(failure: ControlFailure, peer: Peer & { readonly timeoutMs: number }): Failure {
  const where = formatAddress(peer);
  const seconds = peer.timeoutMs / 1_000;
  switch (failure.kind) {
    case 'refused':
      return new Failure(`the sender refused: ${failure.reason}`);
    case 'untrusted':
      return new Failure(`the sender at ${where} is not trusted: ${failure.reason}`);
    case 'unknown-codec':
      return new Failure(`the sender has no stream that can be received: ${failure.reason}`);
    case 'no-stream':
      return new Failure(
        `timeout: no stream from ${where} for ${seconds} s (${failure.cause}). Is \`dropframe send\` running there?`,
      );
    case 'no-datagrams':
      return new Failure(
        `timeout: the sender at ${where} answers on TCP, but no datagram from it arrived for ${seconds} s. A firewall or ` +
          `NAT appears to block UDP port ${peer.port}; use --transport tcp, or open the port`,
      );
    case 'media-lost':
      return new Failure(
        `media from ${where} stopped after ${framesText(failure.frames)}, in several sessions of ${seconds} s each, ` +
          'though the sender answers on TCP: check its source, the path and the load of this computer',
      );
    case 'sender-lost':
      return new Failure(
        `the stream from ${where} ended after ${framesText(failure.frames)}: the sender disappeared without a goodbye, and ` +
          `nothing was received for ${seconds} s (${failure.cause})`,
      );
  }
}

const framesText = (frames: number): string => `${frames} frame${frames === 1 ? '' : 's'}`;

/** Returns the cause of a failed connection, in a few words. @param again true after an earlier connection. */
export function connectCause(error: unknown, again: boolean): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ECONNREFUSED':
      return again ? 'no program listens there any more' : 'no program listens there yet';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'unknown host';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'no route to it';
    default:
      return causeOf(error);
  }
}
