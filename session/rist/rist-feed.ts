import { PassThrough } from 'node:stream';
import { now } from '../../io/os/clock.ts';
import type { LiveBytes } from '../../io/sources/live-bytes.ts';
import { inMilliseconds } from '../../protocol/base/units.ts';
import { RistReception, type RistReceptionOptions } from './rist-reception.ts';

export interface RistFeedOptions extends Omit<RistReceptionOptions, 'onPackets' | 'onEnd' | 'onFault'> {
  /** Silence after which a sender counts as gone, milliseconds: few say goodbye. */
  readonly goneMs: number;
  /** Time to wait for the first datagram, milliseconds; for ever by default. */
  readonly beginsWithinMs?: number;
}

const WATCH_MS = 250;
/** Bytes that wait for a demuxer that is too slow; what comes then is discarded. */
const WAITING_BYTES_MAX = 16_000_000;

/** One stream received by RIST, as bytes of MPEG-TS until it ends. */
export class RistFeed implements LiveBytes {
  readonly source = new PassThrough({ highWaterMark: 1_000_000 });
  readonly reception: RistReception;
  #watch: NodeJS.Timeout | undefined;

  /** Opens the ports. @throws {Failure} when one cannot be opened. */
  static async open(options: RistFeedOptions): Promise<RistFeed> {
    const feed = new RistFeed(options);
    try {
      await feed.reception.open();
    } catch (error) {
      feed.stop();
      throw error;
    }
    return feed;
  }

  private constructor(options: RistFeedOptions) {
    this.reception = new RistReception({
      ...options,
      onPackets: (packets) => {
        if (this.source.writableLength < WAITING_BYTES_MAX) this.source.write(packets);
      },
      onEnd: () => this.#end(),
      onFault: (failure) => this.source.destroy(failure),
    });
    const openedAt = inMilliseconds(now());
    const { goneMs, beginsWithinMs = Number.POSITIVE_INFINITY } = options;
    this.#watch = setInterval(() => {
      const { mediaAt } = this.reception;
      const silentMs = inMilliseconds(now()) - (mediaAt ?? openedAt);
      if (silentMs > (mediaAt === undefined ? beginsWithinMs : goneMs)) this.#end();
    }, WATCH_MS);
  }

  /** True once nothing more comes: the sender is silent, has ended its stream, or `stop` was called. */
  get hasEnded(): boolean {
    return this.source.writableEnded;
  }

  readonly stop = (): void => {
    this.#end();
    this.source.destroy();
  };

  #end(): void {
    clearInterval(this.#watch);
    this.reception.close();
    if (!this.source.writableEnded) this.source.end();
  }
}
