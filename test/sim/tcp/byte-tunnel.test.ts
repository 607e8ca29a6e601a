import { expect, test } from 'vitest';
import { type Instant, instant, microseconds, milliseconds, seconds } from '../../../protocol/base/units.ts';
import { ByteTunnel, type ByteTunnelOptions } from '../../../sim/tcp/byte-tunnel.ts';
import { link } from '../../simulated-session.ts';

const STARTS_AT = seconds(7);
const WRITE_BYTES = 4_000;

function tunnel(path: string, options: Partial<ByteTunnelOptions> = {}): ByteTunnel {
  return new ByteTunnel({
    link: link(path),
    congestionControl: 'cubic',
    startsAt: instant(STARTS_AT),
    headerBytes: 20,
    ...options,
  });
}

interface Arrival {
  readonly at: Instant;
  readonly bytes: Uint8Array;
}

const after = (arrivals: readonly Arrival[]): number[] => arrivals.map(({ at }) => at - STARTS_AT);
const joined = (arrivals: readonly Arrival[]): Buffer => Buffer.concat(arrivals.map(({ bytes }) => bytes));
const total = (arrivals: readonly Arrival[]): number => arrivals.reduce((sum, { bytes }) => sum + bytes.length, 0);

/** Calls the tunnel at its timeouts and every `stepMs`, until `end`. */
function run(machine: ByteTunnel, end: Instant, onStep: (now: Instant) => void = () => {}, stepMs = 20): Arrival[] {
  const arrivals: Arrival[] = [];
  for (let now = STARTS_AT, step = STARTS_AT; now <= end; ) {
    machine.handleTimeout(instant(now));
    if (now === step) {
      onStep(instant(now));
      step = microseconds(step + milliseconds(stepMs));
    }
    for (let bytes = machine.pollForward(); bytes; bytes = machine.pollForward())
      arrivals.push({ at: instant(now), bytes });
    now = microseconds(Math.min(Math.max(machine.pollTimeout() ?? step, now + 1), step));
  }
  return arrivals;
}

/** Writes one piece per step, each filled with its number. */
function writes(
  machine: ByteTunnel,
  pieces: number,
): { readonly sent: Uint8Array[]; readonly step: (now: Instant) => void } {
  const sent: Uint8Array[] = [];
  const step = (now: Instant) => {
    if (sent.length === pieces) return;
    const bytes = new Uint8Array(WRITE_BYTES).fill(sent.length);
    sent.push(bytes);
    machine.writeForward(now, bytes);
  };
  return { sent, step };
}

/** Time until the last byte of each piece arrived; one piece is written every 20 ms. */
function waits(arrivals: readonly Arrival[]): number[] {
  const spans: number[] = [];
  let arrived = 0;
  for (const { at, bytes } of arrivals) {
    arrived += bytes.length;
    while ((spans.length + 1) * WRITE_BYTES <= arrived) spans.push(at - STARTS_AT - spans.length * milliseconds(20));
  }
  return spans;
}

test('bytes written at either end arrive at the other after the handshake and the delay', () => {
  const machine = tunnel('delay=40ms');
  machine.writeBack(instant(STARTS_AT), Uint8Array.of(1, 2));
  const back: Arrival[] = [];
  const forward = run(machine, instant(STARTS_AT + seconds(1)), (now) => {
    for (let bytes = machine.pollBack(); bytes; bytes = machine.pollBack()) {
      back.push({ at: now, bytes });
      machine.writeForward(now, Uint8Array.of(3, 4, 5));
    }
  });
  // The handshake takes one round trip, and the bytes half of one in each direction; steps are 20 ms apart.
  expect(after(back)).toEqual([milliseconds(120)]);
  expect(after(forward)).toEqual([milliseconds(160)]);
  expect([...joined(back), ...joined(forward)]).toEqual([1, 2, 3, 4, 5]);
});

test.each(['reno', 'cubic', 'bbr'] as const)('%s: packet loss delays bytes and loses none', (congestionControl) => {
  const [clean, lossy] = ['delay=40ms', 'loss=5% delay=40ms seed=3'].map((path) => {
    const machine = tunnel(path, { congestionControl });
    const { sent, step } = writes(machine, 200);
    const arrivals = run(machine, instant(STARTS_AT + seconds(60)), step);
    return { sent, arrivals, counters: machine.counters! };
  });
  for (const { sent, arrivals } of [clean!, lossy!]) {
    expect(joined(arrivals).equals(Buffer.concat(sent))).toBe(true);
  }
  // Detection and retransmission of a lost segment take at least one round trip.
  const slowest = (arrivals: readonly Arrival[]) => Math.max(...waits(arrivals).slice(20));
  expect(slowest(lossy!.arrivals)).toBeGreaterThan(slowest(clean!.arrivals));
  expect(slowest(lossy!.arrivals)).toBeGreaterThanOrEqual(milliseconds(40 + 80));
  expect(clean!.counters.retransmittedBytes).toBe(0);
  expect(lossy!.counters.fastRetransmissions).toBeGreaterThan(0);
  // The path does not duplicate, so a segment either arrived once or was lost.
  expect(lossy!.counters.segmentsReceived).toBeLessThan(lossy!.counters.segments);
});

test('a corrupted segment counts as lost', () => {
  const machine = tunnel('corrupt=5% delay=10ms seed=2');
  const { sent, step } = writes(machine, 100);
  const arrivals = run(machine, instant(STARTS_AT + seconds(60)), step);
  expect(joined(arrivals).equals(Buffer.concat(sent))).toBe(true);
  expect(machine.counters!.retransmittedBytes).toBeGreaterThan(0);
});

test('late calls do not change the timing inside the tunnel', () => {
  const [punctual, late] = [1, 1_000].map((everyMs) => {
    const machine = tunnel('loss=2% delay=40ms seed=5');
    machine.writeBack(instant(STARTS_AT), Uint8Array.of(0));
    machine.writeForward(instant(STARTS_AT), new Uint8Array(1_000_000));
    let bytes = 0;
    for (let now = STARTS_AT; now <= STARTS_AT + seconds(20); now = microseconds(now + milliseconds(everyMs))) {
      machine.handleTimeout(instant(now));
      for (let read = machine.pollForward(); read; read = machine.pollForward()) bytes += read.length;
    }
    return { bytes, counters: machine.counters };
  });
  expect(punctual!.bytes).toBe(1_000_000);
  expect(late).toEqual(punctual);
});

test('a slow path fills the send buffer, which becomes writable when a third is free', () => {
  const sendBufferBytes = 120_000;
  const machine = tunnel('delay=10ms rate=1mbit queue=100ms', { sendBufferBytes });
  const held: { readonly isFull: boolean; readonly bytes: number }[] = [];
  let written = 0;
  let arrived = 0;
  for (let now = STARTS_AT; now <= STARTS_AT + seconds(30); now = microseconds(now + milliseconds(1))) {
    machine.handleTimeout(instant(now));
    for (let bytes = machine.pollForward(); bytes; bytes = machine.pollForward()) arrived += bytes.length;
    if (!machine.isFull) {
      machine.writeForward(instant(now), new Uint8Array(WRITE_BYTES));
      written += WRITE_BYTES;
    }
    held.push({ isFull: machine.isFull, bytes: written - arrived });
  }
  const most = Math.max(...held.map(({ bytes }) => bytes));
  expect(most).toBeGreaterThanOrEqual(sendBufferBytes);
  expect(most).toBeLessThan(sendBufferBytes + WRITE_BYTES);
  // The buffer fills repeatedly, because it becomes writable only with room to spare.
  const filled = held.filter(({ isFull }, index) => isFull && !held[index - 1]?.isFull);
  const emptied = held.filter(({ isFull }, index) => index > 0 && !isFull && held[index - 1]!.isFull);
  expect(filled.length).toBeGreaterThan(2);
  for (const { bytes } of emptied) expect(bytes).toBeLessThanOrEqual((sendBufferBytes * 2) / 3 + WRITE_BYTES);
});

test('a dead path fails the connection after the last SYN retransmission', () => {
  const machine = tunnel('loss=100%');
  const failedAt: Instant[] = [];
  const arrivals = run(
    machine,
    instant(STARTS_AT + seconds(200)),
    (now) => {
      if (machine.failure === 'timed-out') failedAt.push(now);
    },
    1_000,
  );
  expect(total(arrivals)).toBe(0);
  expect(machine.counters).toBeUndefined();
  // 1 + 2 + 4 + 8 + 16 + 32 + 64 s (`tcp_syn_retries`).
  expect(after([{ at: failedAt[0]!, bytes: new Uint8Array() }])).toEqual([seconds(127)]);
});
