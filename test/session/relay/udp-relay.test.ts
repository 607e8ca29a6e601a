import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { afterEach, expect, test, vi } from 'vitest';
import { Failure } from '../../../io/os/failure.ts';
import { Log } from '../../../io/os/log.ts';
import { milliseconds, seconds } from '../../../protocol/base/units.ts';
import { UdpRelay, type UdpRelayOptions } from '../../../session/relay/udp-relay.ts';
import type { Direction } from '../../../sim/direction.ts';
import { CLEAN_LINK } from '../../../sim/link/clean-link.ts';
import type { LinkSpecification } from '../../../sim/link/link-specification.ts';
import { LossProcess } from '../../../sim/link/loss-process.ts';
import { PATIENCE } from '../../patience.ts';

/** Few enough at a time for the receive buffer of any system. */
const WAVE = 50;
/** Polled often, since the stories are in steps of milliseconds. */
const STEP = { ...PATIENCE, interval: 2 };

const opened: { close(): unknown }[] = [];
afterEach(() => {
  for (const each of opened.splice(0)) each.close();
});

/** A socket that records what it receives. */
class Peer {
  readonly received: Buffer[] = [];
  readonly socket: Socket;
  #closed = false;

  static async open(host = '127.0.0.1'): Promise<Peer> {
    const peer = new Peer(host);
    opened.push(peer);
    peer.socket.bind(0, host);
    await once(peer.socket, 'listening');
    return peer;
  }

  private constructor(host: string) {
    this.socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    this.socket.on('message', (datagram) => this.received.push(datagram));
  }

  close(): void {
    if (!this.#closed) this.socket.close();
    this.#closed = true;
  }

  /** Echoes every datagram. */
  echo(): this {
    this.socket.on('message', (datagram, { address, port }) => this.socket.send(datagram, port, address));
    return this;
  }

  get address() {
    const { address: host, port } = this.socket.address();
    return { host, port };
  }

  get numbers(): number[] {
    return this.received.map((datagram) => datagram.readUInt32BE());
  }

  send(datagram: Buffer, relay: UdpRelay): void {
    const { host, port } = relay.addresses.listen;
    this.socket.send(datagram, port, host);
  }
}

const logged: string[] = [];
async function relayTo(target: Peer, options: Partial<UdpRelayOptions> = {}): Promise<UdpRelay> {
  logged.length = 0;
  const relay = await UdpRelay.open({
    listen: { host: '127.0.0.1', port: 0 },
    to: options.to ?? target.address,
    link: CLEAN_LINK,
    linkBack: CLEAN_LINK,
    clientsMax: 8,
    idleMs: 60_000,
    heldBytesMax: 10_000_000,
    log: new Log({ level: 'debug', write: (line) => logged.push(line) }),
    ...options,
  });
  opened.push(relay);
  return relay;
}

const numbered = (n: number): Buffer => {
  const datagram = Buffer.alloc(100);
  datagram.writeUInt32BE(n);
  return datagram;
};

/** Sends datagrams 0 to count − 1 in small groups, so that only a link can lose one. */
async function sendNumbered(client: Peer, relay: UdpRelay, count: number): Promise<void> {
  const before = relay.report.forward.offered;
  for (let n = 0; n < count; n++) {
    client.send(numbered(n), relay);
    if ((n + 1) % WAVE !== 0 && n + 1 !== count) continue;
    await vi.waitFor(() => expect(relay.report.forward.offered).toBe(before + n + 1), STEP);
    await vi.waitFor(() => expect(relay.report.forward.inFlight + relay.report.back.inFlight).toBe(0), STEP);
  }
}

/** Returns which of `count` datagrams a link carries in simulation. */
function carried(link: LinkSpecification, direction: Direction, count: number): number[] {
  const loss = new LossProcess(link, direction);
  return Array.from({ length: count }, (_, n) => n).filter(() => !loss.next());
}

const LOSSY: LinkSpecification = { ...CLEAN_LINK, loss: 0.2, burst: 3, seed: 7 };
const COUNT = 500;

test('loses the same datagram numbers in every run with the same seed', async () => {
  for (const _run of [1, 2]) {
    const target = await Peer.open();
    const relay = await relayTo(target, { link: LOSSY });
    await sendNumbered(await Peer.open(), relay, COUNT);

    const expected = carried(LOSSY, 'forward', COUNT);
    await vi.waitFor(() => expect(target.received.length).toBeGreaterThanOrEqual(expected.length), STEP);
    expect(target.numbers).toEqual(expected);
  }
});

test('uses a separate link and random stream for the way back', async () => {
  const target = (await Peer.open()).echo();
  const client = await Peer.open();
  const relay = await relayTo(target, { linkBack: LOSSY });
  await sendNumbered(client, relay, COUNT);

  const expected = carried(LOSSY, 'back', COUNT);
  await vi.waitFor(() => expect(client.received.length).toBeGreaterThanOrEqual(expected.length), STEP);
  expect(client.numbers).toEqual(expected);
  expect(expected).not.toEqual(carried(LOSSY, 'forward', COUNT));
});

test('gives every client the same fates and its own answers', async () => {
  const target = (await Peer.open()).echo();
  const clients = [await Peer.open(), await Peer.open()];
  const relay = await relayTo(target, { link: LOSSY });
  for (const client of clients) await sendNumbered(client, relay, 100);

  const expected = carried(LOSSY, 'forward', 100);
  for (const client of clients) {
    await vi.waitFor(() => expect(client.received.length).toBeGreaterThanOrEqual(expected.length), STEP);
    expect(client.numbers).toEqual(expected);
  }
  expect(relay.report.clients).toEqual({ active: 2, served: 2, expired: 0 });
});

test('reports the measured loss and burst length', async () => {
  const relay = await relayTo(await Peer.open(), { link: LOSSY });
  await sendNumbered(await Peer.open(), relay, COUNT);

  const passed = carried(LOSSY, 'forward', COUNT);
  const lost = COUNT - passed.length;
  // A run starts with a loss that is first or follows a carried datagram.
  const loses = (n: number) => !passed.includes(n);
  const runs = Array.from({ length: COUNT }, (_, n) => n).filter((n) => loses(n) && (n === 0 || !loses(n - 1))).length;
  const { forward } = relay.report;
  expect(forward).toMatchObject({ offered: COUNT, lost, delivered: COUNT - lost, offeredBytes: COUNT * 100 });
  expect(forward.lossShare).toBeCloseTo(lost / COUNT, 12);
  expect(forward.burstMean).toBeCloseTo(lost / runs, 12);
});

test('balances the report with all impairments, even with datagrams in flight at the end', async () => {
  const link = {
    ...{ ...LOSSY, delay: milliseconds(3), jitter: milliseconds(30), duplicate: 0.2, corrupt: 0.2 },
    ...{ rate: 5_000_000, queue: milliseconds(5) },
  };
  const target = (await Peer.open()).echo();
  const client = await Peer.open();
  // The way back delays everything by a minute, so its datagrams are in flight when the relay closes.
  const relay = await relayTo(target, { link, linkBack: { ...link, delay: seconds(60) } });
  // On any machine: a group is longer than the queue, and more groups follow.
  await vi.waitFor(() => {
    for (let n = 0; n < 2 * WAVE; n++) client.send(numbered(n), relay);
    const { forward, back } = relay.report;
    expect(back.inFlight).toBeGreaterThan(0);
    expect(forward.overflowed).toBeGreaterThan(0);
    expect(forward.duplicated).toBeGreaterThan(0);
    expect(forward.corrupted).toBeGreaterThan(0);
  }, STEP);
  relay.close();

  const { forward, back } = relay.report;
  for (const way of [forward, back]) {
    expect(way.offered + way.duplicated).toBe(way.delivered + way.lost + way.overflowed + way.inFlight);
  }
  expect(back.inFlight).toBeGreaterThan(0);
  expect(relay.report).toBe(relay.report);
});

test('delivers nothing before its delay has passed', async () => {
  const target = await Peer.open();
  const arrivals: number[] = [];
  target.socket.on('message', () => arrivals.push(performance.now()));
  const relay = await relayTo(target, { link: { ...CLEAN_LINK, delay: milliseconds(30) } });
  const client = await Peer.open();
  const sent: number[] = [];
  for (let n = 0; n < 20; n++) {
    sent.push(performance.now());
    await sendNumbered(client, relay, 1);
  }
  await vi.waitFor(() => expect(arrivals).toHaveLength(20), STEP);
  for (const [n, at] of arrivals.entries()) expect(at - (sent[n] as number)).toBeGreaterThanOrEqual(29.99);
  expect(relay.report.forward.latenessMs?.p50).toBeGreaterThanOrEqual(0);
});

test('passes datagrams of any length unchanged, including the empty and the longest', async () => {
  const target = (await Peer.open()).echo();
  const client = await Peer.open();
  const relay = await relayTo(target);
  const sent = [0, 1, 1_316, 9_000, 65_507].map((length) => Buffer.alloc(length, length));
  for (const [n, datagram] of sent.entries()) {
    client.send(datagram, relay);
    await vi.waitFor(() => expect(client.received).toHaveLength(n + 1), STEP);
  }
  for (const received of [target.received, client.received]) {
    expect(received.map(({ length }) => length)).toEqual(sent.map(({ length }) => length));
    expect(Buffer.concat(received).equals(Buffer.concat(sent))).toBe(true);
  }
});

test('connects IPv6 clients to IPv4 targets, and the reverse', async () => {
  for (const [near, far] of [
    ['::1', '127.0.0.1'],
    ['127.0.0.1', '::1'],
  ] as const) {
    const target = (await Peer.open(far)).echo();
    const client = await Peer.open(near);
    const relay = await relayTo(target, { listen: { host: near, port: 0 } });
    client.send(numbered(1), relay);
    await vi.waitFor(() => expect(client.numbers).toEqual([1]), STEP);
  }
});

test('expires a silent client, keeps its counters, and restarts its fates when it returns', async () => {
  const target = await Peer.open();
  const client = await Peer.open();
  const relay = await relayTo(target, { link: LOSSY, idleMs: 30 });
  for (const served of [1, 2]) {
    client.send(numbered(0), relay);
    await vi.waitFor(() => expect(relay.report.clients).toEqual({ active: 0, served, expired: served }), STEP);
  }
  expect(relay.report.forward).toMatchObject({ offered: 2, delivered: 2, lost: 0 });
  expect(target.numbers).toEqual([0, 0]);
});

test('refuses clients beyond the limit, counts them and reports them once', async () => {
  const target = await Peer.open();
  const [first, second] = [await Peer.open(), await Peer.open()];
  const relay = await relayTo(target, { clientsMax: 1 });
  await sendNumbered(first, relay, 1);
  for (let n = 0; n < 3; n++) second.send(numbered(9), relay);

  await vi.waitFor(() => expect(relay.report.forward.refused).toBe(3), STEP);
  expect(relay.report.forward.offered).toBe(1);
  expect(logged.filter((line) => line.includes('was refused: 1 clients'))).toHaveLength(1);
});

test('refuses and counts datagrams beyond the memory limit', async () => {
  const target = await Peer.open();
  const relay = await relayTo(target, { link: { ...CLEAN_LINK, delay: seconds(60) }, heldBytesMax: 1_000 });
  const client = await Peer.open();
  for (let n = 0; n < 15; n++) client.send(numbered(n), relay);

  await vi.waitFor(() => expect(relay.report.forward.refused).toBe(5), STEP);
  expect(relay.report.forward).toMatchObject({ offered: 10, inFlight: 10 });
});

test('reports a target without a listener once, and reaches it as soon as there is one', async () => {
  const gone = await Peer.open();
  const relay = await relayTo(gone);
  const { port } = gone.address;
  gone.close();
  const client = await Peer.open();
  for (let n = 0; n < 5; n++) await sendNumbered(client, relay, 1);
  await vi.waitFor(() => expect(relay.report.forward.sendErrors).toBeGreaterThan(0), STEP);
  expect(logged.filter((line) => line.includes(`no program listens at 127.0.0.1:${port}`))).toHaveLength(1);

  const target = createSocket('udp4').bind(port, '127.0.0.1');
  opened.push(target);
  const arrived = once(target, 'message');
  const resend = setInterval(() => client.send(numbered(1), relay), 10);
  await arrived;
  clearInterval(resend);
});

test('reports a busy port, a foreign address and itself as target in one line', async () => {
  const target = await Peer.open();
  const busy = await Peer.open();
  await expect(relayTo(target, { listen: busy.address })).rejects.toThrow(
    new Failure(
      `cannot open UDP 127.0.0.1:${busy.address.port}: the port is in use; choose another one, or stop the program that uses it`,
    ),
  );
  await expect(relayTo(target, { listen: { host: '192.0.2.1', port: 0 } })).rejects.toThrow(
    'this machine does not have this address',
  );
  await expect(relayTo(target, { to: { host: '255.255.255.255', port: 9 } })).rejects.toThrow(
    'cannot reach UDP 255.255.255.255:9: ',
  );
  const free = target.address;
  target.close();
  await expect(relayTo(target, { listen: free, to: free })).rejects.toThrow('the relay would send to itself');
});
