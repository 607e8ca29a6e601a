/** A greedy source over one TCP connection, as assumed by throughput formulas. */

import { assert } from '../../protocol/base/assert.ts';
import { type Instant, instant, later, milliseconds, seconds } from '../../protocol/base/units.ts';
import { Link } from '../../sim/link/link.ts';
import { parseLinkSpecification } from '../../sim/link/link-parse.ts';
import { type Path, Simulation } from '../../sim/simulation.ts';
import type { CongestionControlName } from '../../sim/tcp/congestion-control.ts';
import { TcpConnection } from '../../sim/tcp/connection.ts';
import { TCP_DEFAULTS } from '../../sim/tcp/tcp-options.ts';

/** Enough to send at any time, without holding much memory. */
const CHUNK = new Uint8Array(64 * 1_448);
const UNSENT_MIN = 32 * 1_448;

function link(text: string) {
  const specification = parseLinkSpecification(text);
  assert(specification.ok, 'the links of checks must be valid');
  return specification.value;
}

/** Loses every n-th datagram, as in derivations of average windows. */
class PeriodicLoss implements Path {
  readonly #link: Link;
  readonly #each: number;
  #number = 0;

  constructor(delay: string, each: number) {
    this.#link = new Link(link(delay), 'forward');
    this.#each = each;
  }

  send(now: Instant, datagram: Uint8Array): void {
    if (++this.#number % this.#each !== 0) this.#link.send(now, datagram);
  }

  pollDelivery(now: Instant): Uint8Array | undefined {
    return this.#link.pollDelivery(now);
  }

  pollTimeout(): Instant | undefined {
    return this.#link.pollTimeout();
  }
}

/** Goodput with one loss per `each` datagrams, without the effect of slow start, bits per second. */
export function goodputAtPeriodicLoss(
  name: CongestionControlName,
  delay: string,
  each: number,
  duration: number,
): number {
  return run(name, new PeriodicLoss(delay, each), new Link(link(delay), 'back'), { from: 30, duration, seed: 1 });
}

/** Goodput of a greedy source over a path, after the first second, bits per second. */
export function goodput(
  congestionControl: CongestionControlName,
  forward: string,
  back: string,
  duration: number,
  seed = 1,
): number {
  const paths = [
    new Link(link(`${forward} seed=${seed}`), 'forward'),
    new Link(link(`${back} seed=${seed}`), 'back'),
  ] as const;
  return run(congestionControl, ...paths, { from: 1, duration, seed });
}

function run(
  congestionControl: CongestionControlName,
  forward: Path,
  back: Path,
  { from, duration, seed }: { readonly from: number; readonly duration: number; readonly seed: number },
): number {
  const common = { ...TCP_DEFAULTS, congestionControl, seed, receiveBufferBytes: 64 * 1_024 * 1_024 };
  const ports = { localPort: 5_000, remotePort: 6_000, initialSequence: 1_000 };
  const sender = new TcpConnection({ ...common, ...ports, role: 'active' });
  const receiver = new TcpConnection({
    ...common,
    role: 'passive',
    localPort: 6_000,
    remotePort: 5_000,
    initialSequence: 2_000,
  });
  let fillAt: Instant | undefined = instant(0);
  let opened = false;
  let bytes = 0;
  const simulation = new Simulation({
    sender,
    receiver,
    forward,
    back,
    scripts: [
      {
        pollTimeout: () => fillAt,
        run: (now) => {
          if (!opened) sender.open(now);
          opened = true;
          while (sender.unsentBytes < UNSENT_MIN) sender.write(now, CHUNK);
          fillAt = later(now, milliseconds(2));
        },
      },
    ],
    onReceiverEvent: (now, event) => {
      if (event.kind === 'data' && now >= seconds(from)) bytes += event.bytes.length;
    },
  });
  simulation.runUntil(instant(seconds(duration + from)));
  fillAt = undefined;
  return (bytes * 8) / duration;
}
