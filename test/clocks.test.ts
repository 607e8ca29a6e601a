import { describe, expect, test } from 'vitest';
import { type Instant, instant, milliseconds, seconds } from '../protocol/base/units.ts';
import { codecByName } from '../protocol/codec/codecs.ts';
import type { Endpoint } from '../protocol/endpoint.ts';
import { BundledReceiver } from '../receiver/bundled-receiver.ts';
import { Receiver } from '../receiver/receiver.ts';
import { receiverOptions } from '../receiver/receiver-options.ts';
import { BundledSender } from '../sender/bundled-sender.ts';
import { Sender, type SenderEvent } from '../sender/sender.ts';
import { senderOptions } from '../sender/sender-options.ts';
import { DeliveryQueue } from '../sim/link/delivery-queue.ts';
import { simulatedSound, simulatedStream } from '../sim/simulated-stream.ts';
import { type Path, Simulation } from '../sim/simulation.ts';
import { SyntheticSound } from '../sim/synthetic-sound.ts';
import { LiveFeed, SyntheticStream } from '../sim/synthetic-stream.ts';
import { agreed, REPORT_SSRC } from './simulated-session.ts';

const LATENCY_MS = 120;
const FRAMES_PER_SECOND = 30;

/** A path without loss and with a changing delay, so that packets can be reordered. */
class Route implements Path {
  readonly #queue = new DeliveryQueue<Uint8Array>();
  readonly #delayAt: (now: Instant) => number;

  constructor(delayAt: (now: Instant) => number) {
    this.#delayAt = delayAt;
  }

  send(now: Instant, datagram: Uint8Array): void {
    this.#queue.push(instant(now + this.#delayAt(now)), datagram);
  }

  pollDelivery(now: Instant): Uint8Array | undefined {
    return this.#queue.pop(now);
  }

  pollTimeout(): Instant | undefined {
    return this.#queue.nextAt;
  }
}

/** An endpoint whose clock runs fast by this many parts per million. */
class Skewed<Event> implements Endpoint<Event> {
  readonly #inner: Endpoint<Event>;
  readonly #rate: number;

  constructor(inner: Endpoint<Event>, partsInAMillion: number) {
    this.#inner = inner;
    this.#rate = 1 + partsInAMillion / 1e6;
  }

  own(now: Instant): Instant {
    return instant(Math.round(now * this.#rate));
  }

  real(own: Instant): Instant {
    return instant(Math.ceil(own / this.#rate));
  }

  handleDatagram(now: Instant, datagram: Uint8Array): void {
    this.#inner.handleDatagram(this.own(now), datagram);
  }

  handleTimeout(now: Instant): void {
    this.#inner.handleTimeout(this.own(now));
  }

  pollTransmit(now: Instant): Uint8Array | undefined {
    return this.#inner.pollTransmit(this.own(now));
  }

  pollEvent(): Event | undefined {
    return this.#inner.pollEvent();
  }

  pollTimeout(): Instant | undefined {
    const own = this.#inner.pollTimeout();
    return own === undefined ? undefined : this.real(own);
  }
}

interface Run {
  /**
   * Time from a frame's hand-over to its release, by frame, in real time, microseconds; `undefined` when never
   * released.
   */
  readonly delays: readonly (number | undefined)[];
  readonly receiver: Receiver;
}

function run(scenario: { seconds: number; partsInAMillion?: number; delayAt: (now: Instant) => number }): Run {
  const parameters = agreed({ recovery: 'hybrid', latency: milliseconds(LATENCY_MS) });
  const sender = new Sender(senderOptions(parameters));
  const receiver = new Receiver(receiverOptions(parameters, { reportSsrc: REPORT_SSRC }));
  const skewed = new Skewed<SenderEvent>(sender, scenario.partsInAMillion ?? 0);
  const frames = scenario.seconds * FRAMES_PER_SECOND;
  const source = new SyntheticStream({
    framesPerSecond: FRAMES_PER_SECOND,
    frameBytes: 200,
    keyFrameBytes: 400,
    keyInterval: 30,
    frames,
    seed: 1,
  });
  const handedOver: Instant[] = [];
  const feed = new LiveFeed({
    startAt: instant(1_000),
    next: () => source.next(),
    deliver: (own, unit) => {
      handedOver.push(skewed.real(own));
      sender.send(own, unit);
    },
    finish: () => sender.finish(),
  });
  const delays: (number | undefined)[] = new Array(frames).fill(undefined);
  const simulation = new Simulation({
    sender: skewed,
    receiver,
    forward: new Route(scenario.delayAt),
    back: new Route(scenario.delayAt),
    scripts: [
      {
        pollTimeout: () => {
          const own = feed.pollTimeout();
          return own === undefined ? undefined : skewed.real(own);
        },
        run: (now) => feed.run(skewed.own(now)),
      },
    ],
    onReceiverEvent: (now, event) => {
      if (event.kind === 'access-unit') delays[event.frame] = now - handedOver[event.frame]!;
    },
  });
  simulation.runUntil(instant(seconds(scenario.seconds + 1)));
  receiver.assertBalanced();
  return { delays, receiver };
}

const spreadOf = (delays: readonly (number | undefined)[]): number => {
  const known = delays.map((delay) => delay ?? Number.POSITIVE_INFINITY);
  return (
    known.reduce((most, delay) => Math.max(most, delay), 0) - known.reduce((least, delay) => Math.min(least, delay))
  );
};

describe('a sender whose clock runs 200 parts in a million', () => {
  test.each([
    ['fast', 200],
    ['slow', -200],
  ])('%s for an hour neither underruns nor grows', (_, partsInAMillion) => {
    const { delays, receiver } = run({ seconds: 3_600, partsInAMillion, delayAt: () => milliseconds(25) });
    expect(receiver.statistics.frames).toMatchObject({ onTime: 3_600 * FRAMES_PER_SECOND });
    // Over an hour the clocks diverge by 720 ms. The window for the fastest transit sees 0.2 ms of it.
    expect(spreadOf(delays.slice(FRAMES_PER_SECOND))).toBeLessThan(milliseconds(1));
  });
});

describe('pictures and sound of a sender whose clock runs 200 parts in a million', () => {
  test.each([
    ['fast', 200],
    ['slow', -200],
  ])('%s stay in step for an hour, and no unit is late', (_, partsInAMillion) => {
    const latency = milliseconds(LATENCY_MS);
    const [video, sound] = [simulatedStream({ latency }), simulatedSound({ codec: codecByName('opus'), latency })];
    const sender = new BundledSender(new Sender(senderOptions(video)), new Sender(senderOptions(sound)));
    const receiver = new BundledReceiver({
      video: receiverOptions(video, { reportSsrc: REPORT_SSRC }),
      sound: { ...receiverOptions(sound, { reportSsrc: REPORT_SSRC ^ 1 }), ssrc: sound.ssrc },
      recordsApart: false,
    });
    const skewed = new Skewed<SenderEvent>(sender, partsInAMillion);
    const pictures = new SyntheticStream({
      ...{ framesPerSecond: 10, frameBytes: 200, keyFrameBytes: 400, keyInterval: 10, frames: 36_000, seed: 1 },
    });
    const units = new SyntheticSound({ codec: 'opus', bitrate: 24_000, units: 180_000, seed: 1 });
    const own = { startAt: instant(1_000), origin: 0, finish: () => {} };
    const feeds = [
      new LiveFeed({ ...own, next: () => units.next(), deliver: (at, unit) => void sender.sound!.send(at, unit) }),
      new LiveFeed({ ...own, next: () => pictures.next(), deliver: (at, unit) => void sender.video.send(at, unit) }),
    ];
    /** Lag of what was heard last, on the sender's clock, microseconds. */
    let heard: number | undefined;
    let [most, count] = [0, 0];
    const simulation = new Simulation({
      sender: skewed,
      receiver,
      forward: new Route(() => milliseconds(25)),
      back: new Route(() => milliseconds(25)),
      scripts: feeds.map((feed) => ({
        pollTimeout: () => {
          const at = feed.pollTimeout();
          return at === undefined ? undefined : skewed.real(at);
        },
        run: (now: Instant) => feed.run(skewed.own(now)),
      })),
      onReceiverEvent: (now, event) => {
        const released = event.kind === 'sound' ? event.event : event;
        if (released.kind !== 'access-unit') return;
        const lag = skewed.own(now) - (released.unit.timestamp * 100) / 9;
        if (event.kind === 'sound') heard = lag;
        else if (heard !== undefined && ++count > 20) most = Math.max(most, Math.abs(lag - heard));
      },
    });
    simulation.runUntil(instant(seconds(3_602)));
    receiver.assertBalanced();
    expect(receiver.video.statistics.frames.onTime).toBeGreaterThanOrEqual(36_000 - 1);
    expect(receiver.sound!.statistics.frames.onTime).toBeGreaterThanOrEqual(180_000 - 8);
    expect(receiver.sound!.statistics.frames).toMatchObject({ late: 0, neverArrived: 0, recovered: 0 });
    expect(count).toBeGreaterThan(35_000);
    // The clocks part by 720 ms.
    expect(most).toBeLessThan(milliseconds(1));
  });
});

describe('a route that changes', () => {
  test.each([
    ['longer', 20, 100],
    ['shorter', 100, 20],
  ])('to one 80 ms %s is followed within two seconds, and costs no frame', (_, before, after) => {
    const changeAt = seconds(10);
    const { delays, receiver } = run({
      seconds: 20,
      delayAt: (now) => milliseconds(now < changeAt ? before : after),
    });
    expect(receiver.statistics.frames).toMatchObject({ onTime: 20 * FRAMES_PER_SECOND });
    const settled = delays.slice(12 * FRAMES_PER_SECOND + 1);
    for (const delay of settled)
      expect(Math.abs(delay! - milliseconds(after + LATENCY_MS))).toBeLessThan(milliseconds(1));
    const steps = delays.slice(1).map((delay, frame) => Math.abs(delay! - delays[frame]!));
    expect(Math.max(...steps)).toBeLessThan(milliseconds(5));
  });
});
