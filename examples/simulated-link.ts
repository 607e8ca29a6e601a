// How much of a stream does each loss rate cost? A minute over links of growing loss, in a second, the same everywhere.
import {
  createStreamPair,
  instant,
  Link,
  LiveFeed,
  parseLink,
  type Recovery,
  Simulation,
  SyntheticStream,
  seconds,
} from 'dropframe';

const SECONDS = 60;

function measure(loss: number, recovery: Recovery) {
  const { sender, receiver } = createStreamPair({ latencyMs: 120, recovery });
  const link = parseLink(`loss=${loss}% burst=3 delay=20ms jitter=4ms seed=7`);
  const video = new SyntheticStream({
    framesPerSecond: 30,
    frameBytes: 14_000,
    keyFrameBytes: 60_000,
    keyInterval: 60,
    frames: SECONDS * 30,
    seed: 1,
  });
  const feed = new LiveFeed({
    startAt: instant(0),
    next: () => video.next(),
    deliver: (now, unit) => sender.send(now, unit),
    finish: () => sender.finish(),
  });
  const forward = new Link(link, 'forward');
  const simulation = new Simulation({
    sender,
    receiver,
    forward,
    back: new Link(link, 'back'),
    scripts: [feed],
  });
  simulation.runUntil(instant(seconds(SECONDS + 1)));
  receiver.finish(simulation.now);
  const { frames, playoutDelay } = receiver.statistics;
  const { payloadBytes } = sender.statistics;
  return {
    recovery,
    loss,
    playedPercent: ((frames.onTime + frames.recovered) / (SECONDS * 30)) * 100,
    delayMsP99: (playoutDelay.p99 ?? Number.NaN) / 1_000,
    overheadPercent: (forward.counters.offeredBytes / payloadBytes - 1) * 100,
  };
}

export const figures = [0, 2, 10].flatMap((loss) => [measure(loss, 'reorder'), measure(loss, 'hybrid')]);
console.table(figures);
