import {
  earliest,
  elapsed,
  type Instant,
  inMilliseconds,
  instant,
  milliseconds,
  NEVER,
} from '../../protocol/base/units.ts';
import { Link } from '../../sim/link/link.ts';
import { type Script, Simulation } from '../../sim/simulation.ts';
import { TcpConnection } from '../../sim/tcp/connection.ts';
import { TCP_DEFAULTS } from '../../sim/tcp/tcp-options.ts';
import { linkOf } from '../cell.ts';

/** Payload of a full segment, bytes. */
export const SEGMENT_BYTES = 1_448;

/** Time of the single write on an idle connection. */
const WRITE_AT: Instant = instant(milliseconds(500));
const UNTIL: Instant = instant(milliseconds(10_000));

/**
 * Time until a given byte of a write was delivered, milliseconds.
 *
 * @param forward a link whose datagrams 1 and 2 are the handshake, and from 3 on the segments.
 */
export function arrivalMs(
  write: { readonly bytes: number; readonly byte: number },
  forward: string,
  back: string,
): number {
  const common = { ...TCP_DEFAULTS, congestionControl: 'reno' as const, initialSequence: 1_000 };
  const sender = new TcpConnection({ ...common, role: 'active', localPort: 5_000, remotePort: 6_000 });
  const receiver = new TcpConnection({ ...common, role: 'passive', localPort: 6_000, remotePort: 5_000 });
  const steps: { readonly at: Instant; readonly act: (now: Instant) => void }[] = [
    { at: instant(0), act: (now) => sender.open(now) },
    { at: WRITE_AT, act: (now) => sender.write(now, new Uint8Array(write.bytes)) },
  ];
  const script: Script = { pollTimeout: () => steps[0]?.at, run: (now) => steps.shift()?.act(now) };
  let received = 0;
  let arrivedAt = NEVER;
  const simulation = new Simulation({
    sender,
    receiver,
    forward: new Link(linkOf(forward, new Map()), 'forward'),
    back: new Link(linkOf(back, new Map()), 'back'),
    scripts: [script],
    onReceiverEvent: (now, event) => {
      if (event.kind !== 'data') return;
      received += event.bytes.length;
      if (received > write.byte) arrivedAt = earliest(arrivedAt, now);
    },
  });
  simulation.runUntil(UNTIL);
  return inMilliseconds(elapsed(WRITE_AT, arrivedAt));
}
