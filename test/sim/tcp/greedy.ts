import { type Instant, seconds } from '../../../protocol/instant.ts';
import { Link } from '../../../sim/link.ts';
import { parseLinkSpecification } from '../../../sim/link-specification.ts';
import { Simulation } from '../../../sim/simulation.ts';
import type { CongestionControlName } from '../../../sim/tcp/congestion-control.ts';
import { TcpConnection } from '../../../sim/tcp/connection.ts';
import { TCP_DEFAULTS } from '../../../sim/tcp/tcp-options.ts';

/** Always enough to send, never so much that writing it costs memory. */
const CHUNK = new Uint8Array(64 * 1_448);
const UNSENT_MIN = 32 * 1_448;

function link(text: string) {
  const specification = parseLinkSpecification(text);
  if (!specification.ok) throw new Error(specification.malformed);
  return specification.value;
}

/** What a source that always has something to send achieves over a path, bits a second, after the first second. */
export function goodput(
  congestionControl: CongestionControlName,
  forward: string,
  back: string,
  duration: number,
  seed = 1,
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
  let fillAt: Instant | undefined = 0;
  let opened = false;
  let bytes = 0;
  const simulation = new Simulation({
    sender,
    receiver,
    forward: new Link(link(`${forward} seed=${seed}`), 'forward'),
    back: new Link(link(`${back} seed=${seed}`), 'back'),
    scripts: [
      {
        pollTimeout: () => fillAt,
        run: (now) => {
          if (!opened) sender.open(now);
          opened = true;
          while (sender.unsentBytes < UNSENT_MIN) sender.write(now, CHUNK);
          fillAt = now + 2_000;
        },
      },
    ],
    onReceiverEvent: (now, event) => {
      if (event.kind === 'data' && now >= seconds(1)) bytes += event.bytes.length;
    },
  });
  simulation.runUntil(seconds(duration + 1));
  fillAt = undefined;
  return (bytes * 8) / duration;
}
