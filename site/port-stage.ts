import { PictureGroup } from '../io/web-server/picture-group.ts';
import type { Importance } from '../protocol/access-unit.ts';
import type { LaneCommand } from '../protocol/page/lane-command.ts';
import { LANES_MAX, type LaneAnnouncement, laneUnitOnLane } from '../protocol/page/lane-message.ts';
import type { LaneStage } from '../session/lanes/lane-show-options.ts';

/** The part of a message port in use (HTML Living Standard §9.4.4). */
export interface Port {
  postMessage(message: LaneAnnouncement | Uint8Array): void;
  onmessage: ((event: { readonly data: LaneCommand }) => void) | null;
}

/** Shows lanes to the worker that decodes them, through a port: no queue is needed between two workers of a page. */
export class PortStage implements LaneStage {
  readonly #port: Port;
  #groups = Array.from({ length: LANES_MAX }, () => new PictureGroup());

  /** @param onCommand takes the commands that are not about the connection itself. */
  constructor(port: Port, onCommand: (command: LaneCommand, reply: (announcement: LaneAnnouncement) => void) => void) {
    this.#port = port;
    port.onmessage = ({ data }) => {
      if (data.kind === 'rejoin') this.#rejoin(data.lane);
      else onCommand(data, (announcement) => this.announce(announcement));
    };
  }

  picture(importance: Importance, lane: number, message: Uint8Array): void {
    this.#groups[lane]?.keep(importance, message);
    this.#port.postMessage(message);
  }

  sound(message: Uint8Array): void {
    this.#port.postMessage(message);
  }

  arrange(places: readonly (number | undefined)[]): void {
    const before = this.#groups;
    this.#groups = before.map((_, lane) => {
      const from = places[lane];
      return from === undefined ? new PictureGroup() : before[from]!;
    });
  }

  announce(announcement: LaneAnnouncement): void {
    this.#port.postMessage(announcement);
  }

  async close(): Promise<void> {
    this.announce({ kind: 'ended' });
  }

  /** Sends the pictures of a lane since its last key frame; only the newest is shown. */
  #rejoin(lane: number): void {
    for (const { message } of this.#groups[lane]?.forJoining() ?? []) {
      this.#port.postMessage(laneUnitOnLane(message, lane));
    }
  }
}
