import { now } from '../../io/os/clock.ts';
import { WakeUp } from '../../io/os/wake-up.ts';
import { parseProbeAnswer, serializeProbe } from '../../protocol/control/path-probe.ts';
import { PathMtuSearch } from '../../sender/path-mtu-search.ts';

export interface PathMtuDriverOptions {
  /** Largest datagram that may be sent, UDP payload bytes, without protection. */
  readonly datagramBytesMax: number;
  /** Bytes by which protection lengthens a datagram; 0 without it. */
  readonly protectionBytes: number;
  /** Sends a datagram without fragmentation; `onRefused` is called when the operating system refuses it. */
  readonly sendProbe: (datagram: Uint8Array, onRefused: () => void) => void;
  /** Called when a different length applies from now on, or when the first search since `start` has ended. */
  readonly onBytes: (bytes: number) => void;
  /** Called when a search has ended with a different result. */
  readonly onFound: (bytes: number) => void;
}

/** Runs the search for the path MTU of one receiver on the real clock. */
export class PathMtuDriver {
  readonly #options: PathMtuDriverOptions;
  readonly #search: PathMtuSearch;
  readonly #wakeUp = new WakeUp(() => {
    this.#search.handleTimeout(now());
    this.#drain();
  });
  #bytes: number;
  #found: number;
  #hasFound = false;
  #closed = false;

  constructor(options: PathMtuDriverOptions) {
    this.#options = options;
    this.#search = new PathMtuSearch({ bytesMax: options.datagramBytesMax, overheadBytes: options.protectionBytes });
    this.#bytes = options.datagramBytesMax;
    this.#found = options.datagramBytesMax;
  }

  /** True from the end of the first search since `start` on. */
  get hasFound(): boolean {
    return this.#hasFound;
  }

  /** The receiver's address is proved, for the first time or again. */
  start(): void {
    this.#hasFound = false;
    this.#search.start();
    this.#drain();
  }

  /** Packets are being lost, possibly because of their length. */
  handleLoss(): void {
    this.#search.handleLoss(now());
    this.#drain();
  }

  /** @returns whether the datagram is an answer to a probe. */
  handleDatagram(datagram: Uint8Array): boolean {
    const answer = parseProbeAnswer(datagram);
    if (!answer) return false;
    this.#search.handleAnswer(now(), answer);
    this.#drain();
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#wakeUp.clear();
  }

  #drain(): void {
    if (this.#closed) return;
    const search = this.#search;
    for (let probe = search.pollProbe(now()); probe; probe = search.pollProbe(now())) {
      const { number } = probe;
      this.#options.sendProbe(serializeProbe(probe), () => {
        search.handleRefused(now(), number);
        this.#drain();
      });
    }
    const hasFound = this.#hasFound || search.settled;
    if (search.bytes !== this.#bytes || hasFound !== this.#hasFound) {
      this.#hasFound = hasFound;
      this.#bytes = search.bytes;
      this.#options.onBytes(search.bytes);
    }
    if (search.settled && search.bytes !== this.#found) {
      this.#found = search.bytes;
      this.#options.onFound(search.bytes);
    }
    this.#wakeUp.set(search.pollTimeout());
  }
}
