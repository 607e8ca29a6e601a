// How do I test my own UDP protocol against loss, duplication and reordering, without a network and without waiting?
import type { Endpoint, Instant } from 'dropframe';
import { instant, Link, later, milliseconds, parseLink, Simulation, seconds } from 'dropframe';

/** The protocol under test: messages of one byte, numbered modulo 2, each retransmitted until it is acknowledged. */
class AlternatingSender implements Endpoint<never> {
  readonly #messages: number[];
  #bit = 0;
  #sendAt: Instant | undefined = instant(0);

  constructor(messages: readonly number[]) {
    this.#messages = [...messages];
  }

  handleDatagram(now: Instant, [bit]: Uint8Array): void {
    if (bit !== this.#bit) return;
    this.#messages.shift();
    this.#bit ^= 1;
    this.#sendAt = this.#messages.length > 0 ? now : undefined;
  }

  handleTimeout(): void {}

  pollTransmit(now: Instant): Uint8Array | undefined {
    if (this.#sendAt === undefined || now < this.#sendAt) return undefined;
    this.#sendAt = later(now, milliseconds(100));
    return Uint8Array.of(this.#bit, this.#messages[0]!);
  }

  pollEvent = () => undefined;
  pollTimeout = () => this.#sendAt;
}

class AlternatingReceiver implements Endpoint<number> {
  #expected = 0;
  readonly #acknowledgements: Uint8Array[] = [];
  readonly #arrived: number[] = [];

  handleDatagram(_now: Instant, [bit, message]: Uint8Array): void {
    this.#acknowledgements.push(Uint8Array.of(bit!));
    if (bit !== this.#expected) return;
    this.#expected ^= 1;
    this.#arrived.push(message!);
  }

  handleTimeout(): void {}
  pollTransmit = () => this.#acknowledgements.shift();
  pollEvent = () => this.#arrived.shift();
  pollTimeout = () => undefined;
}

export const messages = Array.from({ length: 200 }, (_, index) => index);
export const arrived: number[] = [];
const [sender, receiver] = [new AlternatingSender(messages), new AlternatingReceiver()];
const link = parseLink('loss=20% burst=2 dup=5% delay=10ms seed=3'); // order=free jitter=30ms breaks it: try
const paths = { forward: new Link(link, 'forward'), back: new Link(link, 'back') };
const onReceiverEvent = (_now: Instant, message: number) => void arrived.push(message);
new Simulation({ sender, receiver, ...paths, scripts: [], onReceiverEvent }).runUntil(instant(seconds(120)));
const { lost } = paths.forward.counters;
console.log(`${arrived.length} of ${messages.length} messages, ${lost} datagrams lost on the way`);
