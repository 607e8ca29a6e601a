import type { LaneAnnouncement, LaneEvents } from '../../protocol/page/lane-message.ts';
import type { WorkerEvent } from './worker-event.ts';

type Announced = Extract<WorkerEvent, { readonly kind: 'announced' }>;
type Events = Extract<LaneAnnouncement, { readonly kind: 'events' }>;

/** Limit of each kind of events that wait for a lane: what its log keeps. */
const EVENTS_MAX = 20_000;

/**
 * Messages that the worker has received and the page has not taken yet. Its length is bounded: events are joined, and of figures
 * and rates only the newest are kept.
 */
export class Outbox {
  #events: WorkerEvent[] = [];

  get isEmpty(): boolean {
    return this.#events.length === 0;
  }

  add(event: WorkerEvent): void {
    const at = event.kind === 'announced' ? this.#indexOfSame(event) : -1;
    if (at < 0) {
      this.#events.push(event);
      return;
    }
    const before = this.#events[at] as Announced;
    this.#events[at] = joined(before, event as Announced);
  }

  /** Returns everything that waits, in order. */
  take(): readonly WorkerEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Index of a waiting announcement that the event replaces or prolongs: none from before a change of the lanes. */
  #indexOfSame({ announcement: { kind } }: Announced): number {
    if (kind !== 'events' && kind !== 'figures' && kind !== 'rates') return -1;
    for (let at = this.#events.length - 1; at >= 0; at--) {
      const event = this.#events[at]!;
      if (event.kind !== 'announced' || event.announcement.kind === 'state') return -1;
      if (event.announcement.kind === kind) return at;
    }
    return -1;
  }
}

function joined(before: Announced, after: Announced): Announced {
  const [old, news] = [before.announcement, after.announcement];
  if (old.kind !== 'events' || news.kind !== 'events') return after;
  return { ...after, announcement: joinedEvents(old, news) };
}

function joinedEvents(before: Events, after: Events): Events {
  return { ...after, lanes: after.lanes.map((lane, index) => joinedLane(before.lanes[index], lane)) };
}

function joinedLane(before: LaneEvents | undefined, after: LaneEvents): LaneEvents {
  if (before?.run !== after.run) return after;
  const { sent, lost, arrived, freed, frames, sounds } = before;
  return {
    run: after.run,
    sent: [...sent, ...after.sent].slice(-EVENTS_MAX),
    lost: [...lost, ...after.lost].slice(-EVENTS_MAX),
    arrived: [...arrived, ...after.arrived].slice(-EVENTS_MAX),
    freed: [...freed, ...after.freed].slice(-EVENTS_MAX),
    frames: [...frames, ...after.frames].slice(-EVENTS_MAX),
    sounds: [...sounds, ...after.sounds].slice(-EVENTS_MAX),
  };
}
