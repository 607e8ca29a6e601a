import { observeReceiver } from '../../lab/capture/observation.ts';
import { CaptureReader } from '../../lab/capture/rtp-streams.ts';
import { instant } from '../../protocol/base/units.ts';
import { CapturedDatagrams } from '../../protocol/capture/captured-datagrams.ts';
import { pcapHeader, pcapRecord } from '../../protocol/capture/pcap.ts';
import { enhancedPacket, interfaceDescription, sectionHeader } from '../../protocol/capture/pcapng.ts';
import type { FuzzInput } from '../fuzz-input.ts';
import { type FuzzTarget, hold } from '../fuzz-target.ts';
import { mutateBytes } from '../mutate-bytes.ts';

const PACKETS = 12;

/** RTP packets of one source, 20 ms apart. */
function packets(): Uint8Array[] {
  const datagrams = new CapturedDatagrams();
  return Array.from({ length: PACKETS }, (_, index) => {
    const rtp = Uint8Array.of(0x80, 111, 0, index, 0, 0, 4 * index, 0, 0, 0, 0, 9, 1, 2, 3);
    return datagrams.wrap('forward', rtp);
  });
}

const whole = (parts: readonly Uint8Array[]): FuzzInput => ({
  choices: 0,
  steps: [{ pause: 0, bytes: Uint8Array.from(Buffer.concat(parts)) }],
});

/** Captures of other programs: containers, link layers, IP, RTP and RTCP. */
export const captureTarget: FuzzTarget = {
  name: 'captures',
  seeds: () => [
    whole([pcapHeader(), ...packets().map((packet, index) => pcapRecord(index * 20, packet))]),
    whole([
      sectionHeader(),
      interfaceDescription('eth0'),
      ...packets().map((packet, index) => enhancedPacket({ interfaceIndex: 0, at: instant(index * 20_000), packet })),
    ]),
  ],
  mutate: mutateBytes,
  run: ({ steps }, observed) => {
    const bytes = steps[0]?.bytes ?? new Uint8Array(0);
    const reader = new CaptureReader();
    const malformed = reader.push(bytes);
    observed.reason(malformed ?? 'read');
    const { streams, packets: count, datagrams } = reader.contents;
    hold(datagrams <= count, 'each datagram is in a packet');
    for (const stream of streams) {
      const path = observeReceiver(stream);
      observed.reason(typeof path === 'string' ? path : 'observed');
    }
  },
};
