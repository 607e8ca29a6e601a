import { expect, test } from 'vitest';
import { now } from '../../../io/os/clock.ts';
import { instant } from '../../../protocol/base/units.ts';
import { TunPath } from '../../../session/tun/tun-path.ts';
import { CLEAN_LINK } from '../../../sim/link/clean-link.ts';
import { Link } from '../../../sim/link/link.ts';
import type { LinkSpecification } from '../../../sim/link/link-specification.ts';
import { ipv4, ipv6, udp, V4 } from '../../protocol/ip-packets.ts';

function path(link: Partial<LinkSpecification> = {}, linkBack: Partial<LinkSpecification> = link) {
  const written: Uint8Array[] = [];
  const seen: string[] = [];
  const tun = new TunPath({
    link: { ...CLEAN_LINK, ...link },
    linkBack: { ...CLEAN_LINK, ...linkBack },
    heldBytesMax: 1_000_000,
    write: (packet) => {
      written.push(packet);
      return packet.length < 1_000;
    },
    observe: (direction, packet, comment) =>
      seen.push(`${direction} ${packet.length}${comment ? ` (${comment})` : ''}`),
  });
  const send = (bytes: Uint8Array) => {
    tun.send(now(), bytes);
    tun.flush();
  };
  return { tun, written, seen, send };
}

const datagram = (source: number, destination: number, bytes = 0) =>
  ipv4({ protocol: 17, payload: udp(source, destination, Array(bytes).fill(0)) });

test('returns a packet with exchanged addresses and otherwise unchanged', () => {
  const { written, send } = path();
  const there = ipv4({ protocol: 17, payload: udp(40_000, 80, [1, 2, 3]) });
  send(there.slice());
  const expected = ipv4({
    protocol: 17,
    payload: udp(40_000, 80, [1, 2, 3]),
    source: V4.across,
    destination: V4.local,
  });
  expect(written).toEqual([expected]);
});

test('sends requests and answers through different links', () => {
  const { tun, send } = path({ loss: 1 }, {});
  for (let index = 0; index < 3; index++) send(datagram(40_000, 80));
  for (let index = 0; index < 2; index++) send(datagram(80, 40_000));
  expect(tun.report.forward).toMatchObject({ offered: 3, lost: 3, delivered: 0 });
  expect(tun.report.back).toMatchObject({ offered: 2, lost: 0, delivered: 2 });
});

test('gives each packet the fate of its number in simulation', () => {
  const link = { ...CLEAN_LINK, loss: 0.2, burst: 3, duplicate: 0.1, corrupt: 0.1, seed: 11 };
  const { tun, seen, send } = path(link);
  const sizes = Array.from({ length: 2_000 }, (_, index) => (index * 37) % 900);
  const simulated = new Link(link, 'forward', { headerBytes: 0 });
  const fates = sizes.map((bytes, index) => {
    const packet = datagram(40_000, 80, bytes);
    const fate = simulated.send(instant(0), packet);
    return `out ${packet.length} (forward ${index}${fate === 'carried' ? '' : `: ${fate}`})`;
  });
  while (simulated.pollDelivery(instant(0)));
  for (const bytes of sizes) send(datagram(40_000, 80, bytes));

  expect(seen.filter((line) => line.startsWith('out'))).toEqual(fates);
  const { corrupted, ...counters } = simulated.counters;
  expect(tun.report.forward).toMatchObject({ ...counters, corrupted });
  expect(corrupted).toBeGreaterThan(0);
});

test('counts the packet alone at the bottleneck, without additional headers', () => {
  const { tun } = path({ rate: 1_000_000 });
  const at = now();
  tun.send(at, datagram(40_000, 80, 972));
  expect(tun.nextAt).toBe(at + 8_000);
});

test('counts packets for other addresses by cause, before any link', () => {
  const { tun, written, send } = path();
  send(ipv4({ protocol: 17, payload: udp(1, 2), destination: Uint8Array.of(224, 0, 0, 251) }));
  send(
    ipv6({ next: 58, payload: Uint8Array.of(143, 0, 0, 0), destination: Uint8Array.of(0xff, 2, ...Array(14).fill(0)) }),
  );
  send(ipv4({ protocol: 17, payload: udp(1, 2), destination: Uint8Array.of(10, 9, 0, 3) }));
  send(ipv4({ protocol: 17, payload: udp(1, 2), source: Uint8Array.of(127, 0, 0, 1) }));
  send(Uint8Array.of(0x45, 0));
  send(new Uint8Array(0));
  expect(written).toEqual([]);
  expect(tun.report.uncarried).toEqual({ multicast: 2, elsewhere: 2, malformed: 2 });
  expect(tun.report.forward.offered + tun.report.back.offered).toBe(0);
});

test('counts a packet refused by the kernel as delivered and as a send error', () => {
  const { tun, send } = path();
  send(datagram(40_000, 80, 1_200));
  send(datagram(40_000, 80));
  expect(tun.report.forward).toMatchObject({ delivered: 2, sendErrors: 1 });
});
