import { additiveIncrease, type CongestionControl, slowStart } from './congestion-control.ts';
import type { Flow } from './flow.ts';

/** Reno (RFC 5681): halves the window at a loss, and adds one segment per round trip. */
export class Reno implements CongestionControl {
  readonly ownsWindow = false;
  readonly burstSegmentsMin = 2;
  readonly #flow: Flow;

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  grow(_now: number, acknowledged: number): void {
    const flow = this.#flow;
    if (!flow.mayGrow) return;
    const left = flow.inSlowStart ? slowStart(flow, acknowledged) : acknowledged;
    if (left > 0) additiveIncrease(flow, flow.congestionWindow, left);
  }

  thresholdAfterLoss(): number {
    return Math.max(this.#flow.congestionWindow >> 1, 2);
  }

  windowBeforeLoss(): number {
    return Math.max(this.#flow.congestionWindow, this.#flow.priorWindow);
  }

  control(): void {}

  noteEstablished(): void {}
  noteRoundTrip(): void {}
  noteState(): void {}
  noteTransmissionStart(): void {}
}
