import { parentPort, workerData } from 'node:worker_threads';
import { PacketCapture } from '../../io/capture/packet-capture.ts';
import { now } from '../../io/os/clock.ts';
import { Failure } from '../../io/os/failure.ts';
import { monotonicOffset } from '../../io/os/monotonic-offset.ts';
import { TunDevice } from '../../io/os/tun-device.ts';
import { type Microseconds, microseconds, milliseconds, seconds } from '../../protocol/base/units.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { TunPath, type TunPathReport } from './tun-path.ts';

/**
 * Input of the thread that carries packets: it reads what the machine sends, and writes it back when the link releases
 * it. The thread does nothing else and sleeps in the kernel, with microsecond resolution, until a packet arrives or is
 * due.
 */
export interface TunRelayData {
  readonly fd: number;
  readonly mtu: number;
  readonly link: LinkSpecification;
  readonly linkBack: LinkSpecification;
  readonly linkBeginsWithTraffic: boolean;
  readonly capture: string | undefined;
  readonly progress: boolean;
  readonly interfaceName: string;
  /** One 32-bit word; any value other than 0 stops the thread. */
  readonly stop: SharedArrayBuffer;
}

/** Messages of the thread: started, failed, progress, final report. */
export type TunRelayMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'progress'; readonly report: TunPathReport }
  | {
      readonly kind: 'report';
      readonly report: TunPathReport;
      readonly captureFailure: string | undefined;
      /** Offset from the machine's monotonic clock to the capture's times. */
      readonly captureOffset: Microseconds | null;
    };

/** Longest sleep, which bounds the reaction to a stop. */
const SLEEP_MAX = milliseconds(20);
/** Interval of progress messages. */
const PROGRESS_EVERY = seconds(1);
/** Packets read before those that are due are sent. */
const READS_MAX = 32;
/** Size of the memory block that packets are read into. */
const SLAB_BYTES = 1 << 20;
/** Two seconds at 1 Gb/s. */
const HELD_BYTES_MAX = 256_000_000;

function relay(data: TunRelayData): TunRelayMessage {
  const { fd, mtu, link, linkBack, linkBeginsWithTraffic, interfaceName } = data;
  const device = new TunDevice(fd);
  const capture = data.capture === undefined ? undefined : new PacketCapture(data.capture, interfaceName);
  const path = new TunPath({
    link,
    linkBack,
    beginsWithTraffic: linkBeginsWithTraffic,
    heldBytesMax: HELD_BYTES_MAX,
    write: (packet) => device.write(packet),
    observe: capture && ((direction, packet, comment) => capture.write(direction, packet, comment)),
  });
  const stop = new Int32Array(data.stop);
  let slab = new Uint8Array(SLAB_BYTES);
  let filled = 0;
  parentPort?.postMessage({ kind: 'ready' } satisfies TunRelayMessage);
  let reportAt = data.progress ? now() + PROGRESS_EVERY : Number.POSITIVE_INFINITY;
  while (Atomics.load(stop, 0) === 0) {
    const sleep = microseconds(Math.min((path.nextAt ?? Number.POSITIVE_INFINITY) - now(), SLEEP_MAX));
    if (sleep > 0) device.wait(sleep);
    for (let reads = 0; reads < READS_MAX; reads++) {
      if (filled + mtu > slab.length) {
        slab = new Uint8Array(SLAB_BYTES);
        filled = 0;
      }
      const length = device.read(slab.subarray(filled, filled + mtu));
      if (length === 0) break;
      const readAt = now();
      path.send(readAt, slab.subarray(filled, filled + length));
      filled += length;
      // Packets that are due leave before more are read: behind a burst of hundreds they would be late.
      if ((path.nextAt ?? Number.POSITIVE_INFINITY) <= readAt) path.flush();
    }
    path.flush();
    if (now() >= reportAt) {
      reportAt += PROGRESS_EVERY;
      parentPort?.postMessage({ kind: 'progress', report: path.report } satisfies TunRelayMessage);
    }
  }
  capture?.close();
  // Capture times are this thread's clock plus the time of day at its start.
  const captureOffset = capture ? microseconds(milliseconds(performance.timeOrigin) - monotonicOffset()) : null;
  return { kind: 'report', report: path.report, captureFailure: capture?.failure?.message, captureOffset };
}

try {
  parentPort?.postMessage(relay(workerData));
} catch (error) {
  if (!(error instanceof Failure)) throw error;
  parentPort?.postMessage({ kind: 'failed', message: error.message } satisfies TunRelayMessage);
}
