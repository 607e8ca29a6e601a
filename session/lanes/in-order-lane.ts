import type { Instant, Microseconds } from '../../protocol/base/units.ts';
import { IP_HEADER_BYTES } from '../../protocol/ip-packet.ts';
import { InOrderFrames } from './in-order-frames.ts';
import { LanePath } from './lane-path.ts';
import type { FrameCounts } from './lane-record.ts';
import type { LaneTransportOptions } from './lane-transport.ts';
import { payloadOf, SegmentJournal } from './segment-journal.ts';

/** Common part of the lanes over TCP, modelled or the kernel's: complete, and later with every loss. */
export abstract class InOrderLane {
  readonly path: LanePath;
  protected readonly inOrder: InOrderFrames;
  protected readonly segments: SegmentJournal;
  protected hasFailed = false;

  /** @param begin sequence number of the first byte; 0 while unknown. */
  constructor(options: LaneTransportOptions, begin: number) {
    this.inOrder = new InOrderFrames(options);
    this.segments = new SegmentJournal(options, begin, () => this.inOrder.length - 1);
    this.path = pathOf(options, this.segments);
  }

  get failed(): boolean {
    return this.hasFailed;
  }

  get frames(): FrameCounts {
    return this.inOrder.counts;
  }

  get unsentBytes(): number {
    return Math.max(0, this.inOrder.takenBytes - this.segments.sentThrough);
  }

  stalledFor(now: Instant): Microseconds {
    return this.inOrder.stalledFor(now);
  }
}

/** The path towards the receiver, whose segments are entered into the journal. */
function pathOf({ forward, capture }: LaneTransportOptions, segments: SegmentJournal): LanePath {
  return new LanePath({
    link: forward,
    capture,
    // TCP's own header is part of each segment.
    headerBytes: IP_HEADER_BYTES,
    // Sound and pictures share the segments.
    streamOf: (segment) => (payloadOf(segment) > 0 ? 'video' : undefined),
    observer: {
      onSent: (now, segment, lost) => segments.sent(now, segment, lost),
      onLost: (number) => segments.lost(number),
      onArrived: (now, number, segment) => segments.arrived(now, number, segment),
    },
  });
}
