import type { BenchPoint } from '../point.ts';
import { DatagramPeer } from './datagram-peer.ts';
import { latencyMsOf } from './peer.ts';
import { PAYLOAD_BYTES } from './workload.ts';

/** One repair packet per row of six, with retransmission: the setting with the least loss at points A, B and D. */
const ROW_REPAIR = 'packetfilter=fec,cols:6,rows:1,arq:always';
/** The value called optimal in a comment of the source. */
const REORDER = 'lossmaxttl=10';

/** `srt-live-transmit` at both ends. The caller sends, as a camera or encoder does. */
export const SRT_PEERS = [
  srt('srt', 'SRT', ''),
  srt('srt-fec', 'SRT + row FEC 6+1', ROW_REPAIR),
  srt('srt-lossmaxttl', 'SRT, lossmaxttl=10', REORDER),
] as const;

function srt(name: string, title: string, options: string): DatagramPeer {
  const query = (mode: string, point: BenchPoint): string =>
    [`mode=${mode}`, `latency=${latencyMsOf(point)}`, ...(options === '' ? [] : [options])].join('&');
  const common = ['-q', `-chunk:${PAYLOAD_BYTES}`];
  return new DatagramPeer({
    name,
    title,
    senderProgram: 'srt-live-transmit',
    receiverProgram: 'srt-live-transmit',
    package: 'srt-tools',
    version: { args: ['-version'], pattern: /SRT Library version: ([\d.]+)/ },
    receiver: ({ listen, output }, point) => [
      ...common,
      `srt://127.0.0.1:${listen}?${query('listener', point)}`,
      `udp://127.0.0.1:${output}`,
    ],
    sender: ({ input, relay }, point) => [
      ...common,
      `udp://127.0.0.1:${input}`,
      `srt://127.0.0.1:${relay}?${query('caller', point)}`,
    ],
  });
}
