import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { type Ecn, NOT_ECT } from '../../protocol/ecn.ts';
import { Failure } from '../os/failure.ts';
import { addressCause, routeCause } from './address-cause.ts';
import { type DatagramLengths, joined, runEnd, runLengths } from './datagram-runs.ts';
import { DirectSend } from './direct-send.ts';
import { isLoopback } from './host-address.ts';
import { dropLongerThan } from './length-filter.ts';
import { MarkedDatagrams, markOnSend } from './marked-datagrams.ts';
import { receiveDrops } from './receive-drops.ts';
import { coalesceOnReceive, forceReceiveBuffer, segmentOnSend, sendUnfragmented } from './segmentation-offload.ts';
import { SendBatch } from './send-batch.ts';
import { type Destination, SocketAddresses } from './socket-address.ts';
import { isWritable } from './writable.ts';

/** How datagrams to a multicast group leave. */
export interface MulticastOptions {
  /** Routers that they pass at most. */
  readonly hops: number;
  /** Address of the interface (IPv4), or `::%name` (IPv6); `undefined`: that of the route. */
  readonly interface: string | undefined;
}

export interface DatagramSocketOptions {
  /** Address to bind; port 0: any free port. */
  readonly host: string;
  readonly port: number;
  /** Sends to and receives from this address only. */
  readonly peer?: { readonly host: string; readonly port: number };
  /** For a peer that is a multicast group. */
  readonly multicast?: MulticastOptions | undefined;
  /** Lengths of datagrams to and from the peer. Without them, each datagram takes a system call. */
  readonly lengths?: DatagramLengths;
  /**
   * Longest datagram that is taken, UDP payload bytes: longer ones are dropped, on Linux before they take room in the receive
   * buffer. They then count as `receiveDrops`.
   */
  readonly receivedBytesMax?: number;
  /** @param ecn ECN bits of its IP packet; absent where `readsEcn` is not set or not possible. */
  readonly onDatagram: (datagram: Uint8Array, from: RemoteInfo, ecn?: Ecn) => void;
  /**
   * True to read the ECN bits of datagrams from the peer, which takes a few microseconds each. Requires Linux, koffi, a
   * peer and `lengths`.
   */
  readonly readsEcn?: boolean;
  /** True when the memory of datagrams is used again after `send` has returned. */
  readonly reusesMemory?: boolean;
  /**
   * Called for each datagram refused by the operating system or, by ICMP, by the peer's; `sendErrors` counts them too.
   */
  readonly onError?: (error: Error) => void;
  /** Called with the number of datagrams to a destination that the operating system refused to send. */
  readonly onRefused?: (datagrams: number, to: Destination | undefined) => void;
}

/** Receive buffer, bytes: two frames at 500 Mb/s; the kernel limits it to net.core.rmem_max. */
const BUFFER_BYTES = 4_000_000;

/** A bound UDP socket that moves runs of full datagrams in one system call on Linux. */
export class DatagramSocket {
  readonly #socket: Socket;
  readonly #options: DatagramSocketOptions;
  /** False where the kernel does not send runs. */
  #segmenting = true;
  #coalescing = false;
  #marked: MarkedDatagrams | undefined;
  /** ECN bits that the socket sends. */
  #ecn: Ecn = NOT_ECT;
  #direct: DirectSend | undefined;
  readonly #addresses = new SocketAddresses();
  /** Datagrams that `queue` collects; `null` where there is no system call for it. */
  #batch: SendBatch | undefined | null;
  /** The socket's option for segmented sends: length of the segments, or 0. */
  #segmentOption = 0;
  /** Destinations whose path refused a segmented send: their datagrams are sent one by one. */
  readonly #singly = new Set<string>();
  /** Number of sends not yet confirmed by Node. */
  #waiting = 0;
  #sendErrors = 0;
  #closed = false;
  #receiveDrops: number | undefined;

  /** Opens the socket. @throws {Failure} when the address is not available. */
  static async open(options: DatagramSocketOptions): Promise<DatagramSocket> {
    const opened = new DatagramSocket(options);
    await opened.#open();
    return opened;
  }

  private constructor(options: DatagramSocketOptions) {
    this.#options = options;
    const family = this.#isIpv6 ? 6 : 4;
    this.#socket = createSocket({
      type: `udp${family}`,
      // Addresses only, in the socket's own family: otherwise Node defers each send for a name look-up.
      lookup: (host, _family, callback) => callback(null, host, family),
    });
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Number of datagrams that the operating system refused to send. */
  get sendErrors(): number {
    return this.#sendErrors;
  }

  /**
   * Number of datagrams dropped because the receive buffer was full; `undefined` when the system does not report it.
   */
  get receiveDrops(): number | undefined {
    return this.#closed ? this.#receiveDrops : receiveDrops(this.#socket);
  }

  /**
   * @param to destination, for a socket without a peer.
   * @param lengths of datagrams to this destination, if it knows them too; by default those of the socket.
   * @param ecn ECN bits, where the system lets them be set.
   */
  send(datagrams: readonly Uint8Array[], to?: Destination, lengths = this.#options.lengths, ecn: Ecn = NOT_ECT): void {
    // Waiting datagrams leave first, and with their own ECN bits.
    this.flush();
    if (ecn !== this.#ecn && !this.#closed && markOnSend(this.#socket, this.#isIpv6, ecn)) this.#ecn = ecn;
    const segmenting = lengths && this.#segmenting && !this.#isSegmentRefused(to);
    // Kernels before 6.1 refuse any datagram to a path whose MTU is below the segments' length while the option is set.
    if (!segmenting && this.#segmentOption > 0) this.#setSegmentOption(0);
    for (let first = 0; first < datagrams.length; ) {
      let last = segmenting ? runEnd(datagrams, first, lengths) : first + 1;
      const length = datagrams[first]!.length;
      if (last > first + 1 && this.#segmentOption !== length && !this.#setSegmentOption(length)) last = first + 1;
      if (last === first + 1 && length > this.#segmentOption && this.#segmentOption > 0) this.#setSegmentOption(0);
      this.#sendRun(datagrams.slice(first, last), to, lengths, ecn);
      first = last;
    }
  }

  /**
   * Like `send`, to one of several destinations: where the system has a call for many, the datagrams leave by `flush`, with those for
   * the others. They are copied.
   */
  queue(datagrams: readonly Uint8Array[], to: Destination, lengths: DatagramLengths | undefined, ecn: Ecn): void {
    const batch = this.#waiting > 0 ? undefined : this.#openBatch();
    if (!batch || ecn !== this.#ecn || this.#isSegmentRefused(to)) {
      this.flush();
      return this.send(datagrams, to, lengths, ecn);
    }
    for (let first = 0; first < datagrams.length; ) {
      const last = lengths && this.#segmenting ? runEnd(datagrams, first, lengths) : first + 1;
      const run = datagrams.slice(first, last);
      const { length } = run[0]!;
      if (!batch.add(run, to, length)) {
        this.flush();
        if (!batch.add(run, to, length)) this.send(run, to, lengths, ecn);
      }
      first = last;
    }
  }

  /** Sends what `queue` has collected. */
  flush(): void {
    const batch = this.#batch;
    if (!batch || batch.isEmpty || this.#closed) return;
    if (this.#segmentOption > 0) this.#setSegmentOption(0);
    for (const { datagrams, to } of batch.flush()) {
      const lengths = datagrams.length > 1 ? runLengths(datagrams) : undefined;
      this.send(datagrams, to, lengths, this.#ecn);
    }
  }

  /** Sends a datagram without fragmentation. @param onRefused called when it is longer than the first link carries. */
  sendProbe(datagram: Uint8Array, to: Destination, onRefused: () => void): void {
    // In Node's queue it would leave when the option below is gone: as if the path had lost it, the next one is as good.
    if (this.#closed || this.#isFull) return;
    if (this.#segmentOption > 0) this.#setSegmentOption(0);
    sendUnfragmented(this.#socket, true);
    // Node may keep what it sends.
    const kept = this.#options.reusesMemory ? datagram.slice() : datagram;
    if (!this.#direct?.send(datagram, to)) this.#sendThroughNode(kept, to, onRefused);
    sendUnfragmented(this.#socket, false);
  }

  /** Forgets that a destination's path refused segmented sends, as that path may have changed. */
  segmentAgain(to?: Destination): void {
    this.#singly.delete(nameOf(to));
  }

  close(): void {
    if (this.#closed) return;
    this.flush();
    this.#marked?.close();
    this.#receiveDrops = this.receiveDrops;
    this.#closed = true;
    this.#socket.close();
  }

  async #open(): Promise<void> {
    const { host, port, peer, multicast } = this.#options;
    const socket = this.#socket;
    await new Promise<void>((resolve, reject) => {
      const refuse = (error: Error) => {
        this.close();
        reject(new Failure(`cannot open UDP ${host}:${port}: ${addressCause(error)}`));
      };
      socket.once('error', refuse);
      socket.bind(port, host, () => {
        const remedy = multicast && !multicast.interface ? '; name the interface' : '';
        const done = (error?: Error) => {
          socket.off('error', refuse);
          if (!error) return resolve();
          this.close();
          reject(new Failure(`cannot reach UDP ${peer?.host}:${peer?.port}: ${routeCause(error)}${remedy}`));
        };
        try {
          if (multicast) socket.setMulticastTTL(multicast.hops);
          if (multicast?.interface) socket.setMulticastInterface(multicast.interface);
        } catch (error) {
          return done(error as Error);
        }
        if (peer) socket.connect(peer.port, peer.host, done as () => void);
        else done();
      });
    });
    // ICMP errors of a closed peer arrive here; its absence is detected on the control channel.
    socket.on('error', this.#failed);
    if (!forceReceiveBuffer(socket, BUFFER_BYTES)) socket.setRecvBufferSize(BUFFER_BYTES);
    socket.setSendBufferSize(BUFFER_BYTES);
    if (this.#options.receivedBytesMax !== undefined) dropLongerThan(socket, this.#options.receivedBytesMax);
    if (!peer) this.#direct = new DirectSend(socket, this.#addresses);
    socket.on('message', (message, from) => this.#receive(message, from));
    if (!this.#options.lengths) return;
    this.#marked = this.#options.readsEcn && peer ? this.#readMarked(peer) : undefined;
    if (this.#marked) return;
    // Node does not expose the segment length of coalesced datagrams. On loopback only segmented sends are coalesced,
    // so all but the last have the agreed length; elsewhere that may not hold.
    this.#coalescing = peer !== undefined && isLoopback(peer.host) && coalesceOnReceive(socket);
  }

  #openBatch(): SendBatch | undefined {
    if (this.#batch === undefined) {
      this.#batch = (this.#direct && SendBatch.of(this.#socket, this.#addresses)) ?? null;
      // Runs need a kernel that knows the option.
      if (this.#batch) this.#setSegmentOption(0);
    }
    return this.#batch ?? undefined;
  }

  #isSegmentRefused(to: Destination | undefined): boolean {
    return this.#singly.size > 0 && this.#singly.has(nameOf(to));
  }

  #readMarked({ host, port }: Destination): MarkedDatagrams | undefined {
    const isIpv6 = this.#isIpv6;
    const family = isIpv6 ? 'IPv6' : 'IPv4';
    const bytesMax = this.#options.lengths!.bytesMax;
    return MarkedDatagrams.take(this.#socket, {
      isIpv6,
      bytesMax,
      onDatagram: (datagram, ecn) =>
        this.#options.onDatagram(datagram, { address: host, family, port, size: datagram.length }, ecn),
      onError: this.#failed,
    });
  }

  get #isIpv6(): boolean {
    return this.#options.host.includes(':');
  }

  #receive(message: Buffer, from: RemoteInfo): void {
    const { lengths, onDatagram, receivedBytesMax = Number.POSITIVE_INFINITY } = this.#options;
    if (message.length > receivedBytesMax) return;
    if (!this.#coalescing || !lengths || message.length <= lengths.bytesMax) return onDatagram(message, from);
    for (let offset = 0; offset < message.length; offset += lengths.fullBytes) {
      onDatagram(message.subarray(offset, offset + lengths.fullBytes), from);
    }
  }

  /** Sends a run of datagrams in one system call, or one by one when the kernel refuses that for this path. */
  #sendRun(
    run: readonly Uint8Array[],
    to: Destination | undefined,
    lengths: DatagramLengths | undefined,
    ecn: Ecn,
  ): void {
    const bytes = run.length === 1 ? run[0]! : joined(run, 0, run.length);
    // Datagrams queued by Node, because the kernel had no room, go first.
    if (this.#closed || (to && this.#waiting === 0 && this.#direct?.send(bytes, to))) return;
    // Node may keep what it sends.
    const kept = this.#options.reusesMemory ? run.map((datagram) => datagram.slice()) : run;
    if (run.length > 1 && this.#isFull) {
      // A run that waits would leave whole, as one long datagram, once the option is changed for others.
      this.#setSegmentOption(0);
      for (const datagram of kept) this.#sendThroughNode(datagram, to, (error) => this.#refused(error, to, 1));
      return;
    }
    const segmented = this.#segmentOption > 0;
    this.#sendThroughNode(kept === run ? bytes : joined(kept, 0, kept.length), to, (error) => {
      const { code = '' } = error as NodeJS.ErrnoException;
      if (!segmented || !SEGMENTS_REFUSED.has(code)) return this.#refused(error, to, run.length);
      if (this.#singly.size >= SINGLY_MAX) this.#singly.clear();
      this.#singly.add(nameOf(to));
      this.send(kept, to, lengths, ecn);
    });
  }

  /** True when a datagram would wait in Node's queue, because the kernel has no room. */
  get #isFull(): boolean {
    return this.#socket.getSendQueueCount() > 0 || !isWritable(this.#socket);
  }

  #sendThroughNode(bytes: Uint8Array, to: Destination | undefined, onError: (error: Error) => void): void {
    const sent = (error: Error | null) => {
      this.#waiting--;
      if (error) onError(error);
    };
    this.#waiting++;
    try {
      if (to) this.#socket.send(bytes, to.port, to.host, sent);
      else this.#socket.send(bytes, sent);
    } catch (error) {
      sent(error as Error);
    }
  }

  #refused(error: Error, to: Destination | undefined, datagrams: number): void {
    this.#options.onRefused?.(datagrams, to);
    for (let index = 0; index < datagrams; index++) this.#failed(error);
  }

  /** Returns false when the kernel does not know the option, which is then left alone. */
  #setSegmentOption(bytes: number): boolean {
    this.#segmenting &&= segmentOnSend(this.#socket, bytes);
    this.#segmentOption = this.#segmenting ? bytes : 0;
    return this.#segmenting;
  }

  readonly #failed = (error: Error): void => {
    this.#sendErrors++;
    this.#options.onError?.(error);
  };
}

/** Errors by which the kernel refuses a segmented send on a path whose MTU is smaller, or whose device cannot do it. */
const SEGMENTS_REFUSED: ReadonlySet<string> = new Set(['EMSGSIZE', 'EINVAL', 'EIO']);
/** Bound of the remembered destinations; beyond it, each has to refuse once more. */
const SINGLY_MAX = 1_024;

const nameOf = (to: Destination | undefined): string => (to ? `${to.host}:${to.port}` : '');
