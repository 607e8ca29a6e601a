import { type Instant, instant, milliseconds } from '../../../protocol/base/units.ts';
import type { Endpoint } from '../../../protocol/endpoint.ts';
import type { Direction } from '../../../sim/direction.ts';
import { DeliveryQueue } from '../../../sim/link/delivery-queue.ts';
import { type Path, type Script, Simulation } from '../../../sim/simulation.ts';
import { TcpConnection } from '../../../sim/tcp/connection.ts';
import { parseSegment, type TcpSegment } from '../../../sim/tcp/segment.ts';
import { TCP_DEFAULTS, type TcpConnectionOptions, type TcpEvent } from '../../../sim/tcp/tcp-options.ts';

export const at = (ms: number): Instant => instant(milliseconds(ms));

/** Decides the fate of the n-th segment; `dataNumber` counts segments with payload only, −1 for others. */
export type Rule = (
  segment: TcpSegment,
  number: number,
  dataNumber: number,
) => 'drop' | 'twice' | { readonly delay: number } | undefined;

/** A path with a delay of half a round trip and the impairments of a rule. Numbers count from 0. */
export class RuledPath implements Path {
  readonly #queue = new DeliveryQueue<Uint8Array>();
  readonly #delay: number;
  readonly #rule: Rule;
  readonly dropped: TcpSegment[] = [];
  #number = 0;
  #dataNumber = 0;

  constructor(delay: number, rule: Rule) {
    this.#delay = delay;
    this.#rule = rule;
  }

  send(now: Instant, datagram: Uint8Array): void {
    const parsed = parseSegment(datagram);
    if (!parsed.ok) throw new Error(`no segment: ${parsed.malformed}`);
    const hasData = parsed.value.payload.length > 0;
    const verdict = this.#rule(parsed.value, this.#number++, hasData ? this.#dataNumber++ : -1);
    if (verdict === 'drop') {
      this.dropped.push(parsed.value);
      return;
    }
    this.#queue.push(instant(now + this.#delay + (typeof verdict === 'object' ? verdict.delay : 0)), datagram);
    if (verdict === 'twice') this.#queue.push(instant(now + this.#delay), datagram);
  }

  pollDelivery(now: Instant): Uint8Array | undefined {
    return this.#queue.pop(now);
  }

  pollTimeout(): Instant | undefined {
    return this.#queue.nextAt;
  }
}

/** Drops the data segments with these numbers. */
export const dropData =
  (...numbers: readonly number[]): Rule =>
  (_segment, _number, dataNumber) =>
    numbers.includes(dataNumber) ? 'drop' : undefined;

export interface Sight {
  readonly at: Instant;
  readonly direction: Direction;
  readonly segment: TcpSegment;
}

export interface Arrival {
  readonly at: Instant;
  readonly bytes: number;
}

export interface PairOptions {
  readonly roundTrip?: number;
  readonly forward?: Rule;
  readonly back?: Rule;
  readonly sender?: Partial<TcpConnectionOptions>;
  readonly receiver?: Partial<TcpConnectionOptions>;
}

const keep: Rule = () => undefined;

/** Two connections with a path between them; the handshake begins at 0. Records all segments and bytes. */
export class Pair {
  readonly sender: TcpConnection;
  readonly receiver: TcpConnection;
  readonly forward: RuledPath;
  readonly sights: Sight[] = [];
  readonly senderEvents: { readonly at: Instant; readonly event: TcpEvent }[] = [];
  readonly receiverEvents: { readonly at: Instant; readonly event: TcpEvent }[] = [];
  readonly #received: Uint8Array[] = [];
  readonly #actions: { readonly at: Instant; readonly act: (now: Instant) => void }[] = [];
  readonly #simulation: Simulation<TcpEvent, TcpEvent>;

  constructor(options: PairOptions = {}) {
    const common = { ...TCP_DEFAULTS, congestionControl: 'reno' as const, initialSequence: 1_000 };
    this.sender = new TcpConnection({
      ...common,
      role: 'active',
      localPort: 5_000,
      remotePort: 6_000,
      ...options.sender,
    });
    this.receiver = new TcpConnection({
      ...common,
      role: 'passive',
      localPort: 6_000,
      remotePort: 5_000,
      initialSequence: 4_000_000_000,
      ...options.receiver,
    });
    const delay = (options.roundTrip ?? at(50)) / 2;
    this.forward = new RuledPath(delay, options.forward ?? keep);
    const actions = this.#actions;
    const script: Script = {
      pollTimeout: () => actions[0]?.at,
      run: (now) => actions.shift()!.act(now),
    };
    this.#simulation = new Simulation({
      sender: this.sender as Endpoint<TcpEvent>,
      receiver: this.receiver as Endpoint<TcpEvent>,
      forward: this.forward,
      back: new RuledPath(delay, options.back ?? keep),
      scripts: [script],
      onSenderEvent: (now, event) => this.senderEvents.push({ at: now, event }),
      onReceiverEvent: (now, event) => {
        this.receiverEvents.push({ at: now, event });
        if (event.kind === 'data') this.#received.push(event.bytes);
        if (event.kind === 'finished') this.at(now, () => this.receiver.finish(now));
      },
      onDatagram: (now, direction, datagram) => {
        const parsed = parseSegment(datagram);
        if (parsed.ok) this.sights.push({ at: now, direction, segment: parsed.value });
      },
    });
    this.at(instant(0), (now) => this.sender.open(now));
  }

  /** Schedules an action. */
  at(instant: Instant, act: (now: Instant) => void): this {
    let index = this.#actions.length;
    while (index > 0 && this.#actions[index - 1]!.at > instant) index--;
    this.#actions.splice(index, 0, { at: instant, act });
    return this;
  }

  /** Writes bytes whose value depends on their position, so that errors are detected. */
  write(instant: Instant, bytes: number, first = 0): this {
    return this.at(instant, (now) => this.sender.write(now, numbered(bytes, first)));
  }

  run(until: Instant): this {
    this.#simulation.runUntil(until);
    return this;
  }

  get received(): Uint8Array {
    return Buffer.concat(this.#received);
  }

  /** Time at which the byte with this number was delivered. */
  arrivalOf(byte: number): Instant {
    let count = 0;
    for (const { at: instant, event } of this.receiverEvents) {
      if (event.kind !== 'data') continue;
      count += event.bytes.length;
      if (count > byte) return instant;
    }
    throw new Error(`byte ${byte} has not arrived`);
  }

  data(): Sight[] {
    return this.sights.filter(({ direction, segment }) => direction === 'forward' && segment.payload.length > 0);
  }
}

export function numbered(bytes: number, first = 0): Uint8Array {
  const target = new Uint8Array(bytes);
  for (let index = 0; index < bytes; index++) target[index] = ((first + index) * 31 + ((first + index) >> 8)) & 0xff;
  return target;
}
