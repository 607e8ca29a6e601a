import type { BenchPoint } from '../point.ts';
import { DatagramPeer } from './datagram-peer.ts';
import { latencyMsOf } from './peer.ts';

/** Main profile, which uses one port. Logs and statistics are off. */
const COMMON = ['-p', '1', '-v', '-1', '-S', '0'];

const options = (point: BenchPoint): string => `buffer=${latencyMsOf(point)}`;

/** `ristsender` and `ristreceiver`; the sender connects. */
export const RIST_PEER = new DatagramPeer({
  name: 'rist',
  title: 'RIST',
  senderProgram: 'ristsender',
  receiverProgram: 'ristreceiver',
  package: 'rist-tools',
  version: { args: ['--help'], pattern: /libRIST library: ([\d.]+)/ },
  receiver: ({ listen, output }, point) => [
    ...COMMON,
    '-i',
    `rist://@127.0.0.1:${listen}?${options(point)}`,
    '-o',
    `udp://127.0.0.1:${output}`,
  ],
  sender: ({ input, relay }, point) => [
    ...COMMON,
    '-i',
    `udp://@127.0.0.1:${input}`,
    '-o',
    `rist://127.0.0.1:${relay}?${options(point)}`,
  ],
});
