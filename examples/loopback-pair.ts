// How does a frame get from a sender to a receiver? Both ends in one program, driven by hand by the contract of
// `Endpoint`.
import type { AccessUnit, Instant } from 'dropframe';
import { createStreamPair, instant, later, milliseconds, SyntheticStream } from 'dropframe';

const FRAMES = 90;
const FRAME_INTERVAL = milliseconds(1_000 / 30);

const { sender, receiver } = createStreamPair({ latencyMs: 100, recovery: 'nack' });
const video = new SyntheticStream({
  framesPerSecond: 30,
  frameBytes: 2_000,
  keyFrameBytes: 12_000,
  keyInterval: 30,
  frames: FRAMES,
  seed: 1,
});

export const sent: AccessUnit[] = [];
export const received: AccessUnit[] = [];

/** Drains both ends. Call after every other call to either of them. */
function drain(now: Instant): void {
  for (let datagram = sender.pollTransmit(now); datagram; datagram = sender.pollTransmit(now)) {
    receiver.handleDatagram(now, datagram); // here a program writes to its socket
  }
  for (let datagram = receiver.pollTransmit(now); datagram; datagram = receiver.pollTransmit(now)) {
    sender.handleDatagram(now, datagram); // reports and requests go back the same way
  }
  for (let event = receiver.pollEvent(); event; event = receiver.pollEvent()) {
    if (event.kind === 'access-unit') received.push(event.unit);
  }
  while (sender.pollEvent()) {} // such as a request for a key frame, for the encoder
}

let nextFrameAt = instant(0);
while (received.length < FRAMES) {
  // A program with a real clock sleeps until the earliest of these, or until a datagram arrives.
  const waitingFor = [nextFrameAt, sender.pollTimeout(), receiver.pollTimeout()].filter((at) => at !== undefined);
  const now = instant(Math.min(...waitingFor));
  if (now >= nextFrameAt) {
    const unit = video.next();
    if (unit) {
      sender.send(now, unit);
      sent.push(unit);
    }
    nextFrameAt = unit ? later(nextFrameAt, FRAME_INTERVAL) : instant(Number.POSITIVE_INFINITY);
    drain(now);
  }
  sender.handleTimeout(now);
  receiver.handleTimeout(now);
  drain(now);
}

const { frames, playoutDelay } = receiver.statistics;
console.log(
  `${frames.onTime} of ${FRAMES} frames on time, ${(playoutDelay.p50 ?? 0) / 1_000} ms after the fastest transit`,
);
