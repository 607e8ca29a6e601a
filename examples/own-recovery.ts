// Is my idea for loss recovery better than the existing ones? A custom recovery compared with ours, over the same
// losses.
import * as dropframe from 'dropframe';

/** Requests each missing packet at once, twice, and never again. */
class AskTwiceAtOnce implements dropframe.LossRecovery {
  requests = 0;
  readonly #reportSsrc: number;
  readonly #asked = new Map<dropframe.Sequence, 'waiting' | 'asked'>();

  constructor({ reportSsrc }: { readonly reportSsrc: number }) {
    this.#reportSsrc = reportSsrc;
  }

  roundsOf = (sequence: dropframe.Sequence) => (this.#asked.get(sequence) === 'asked' ? 1 : 0);
  onMissing = (_now: dropframe.Instant, sequence: dropframe.Sequence) => void this.#asked.set(sequence, 'waiting');
  onPacket = (_now: dropframe.Instant, { sequence }: dropframe.TakenPacket) => void this.#asked.delete(sequence);

  forgetThrough(sequence: dropframe.Sequence): void {
    for (const known of this.#asked.keys()) if (known <= sequence) this.#asked.delete(known);
  }

  poll(_now: dropframe.Instant, { mediaSsrc }: dropframe.StreamView): readonly dropframe.RtcpPacket[] | undefined {
    const waiting = [...this.#asked].flatMap(([sequence, state]) => (state === 'waiting' ? [sequence] : []));
    if (waiting.length === 0 || mediaSsrc === undefined) return undefined;
    for (const sequence of waiting) this.#asked.set(sequence, 'asked');
    this.requests += 2 * waiting.length;
    const sequenceNumbers = waiting.map((sequence) => dropframe.wireSequence(sequence));
    const nack = { kind: 'nack', senderSsrc: this.#reportSsrc, mediaSsrc, sequenceNumbers } as const;
    return [nack, nack];
  }

  pollTimeout = () => ([...this.#asked.values()].includes('waiting') ? dropframe.instant(0) : undefined);
}

function played(recovery: dropframe.Recovery | dropframe.RecoveryFactory, seed: number): number {
  const { sender, receiver } = dropframe.createStreamPair({ latencyMs: 100, recovery });
  const link = dropframe.parseLink(`loss=4% delay=15ms seed=${seed}`);
  const size = { framesPerSecond: 30, frameBytes: 12_000, keyFrameBytes: 48_000, keyInterval: 30, frames: 600, seed };
  const video = new dropframe.SyntheticStream(size);
  const feed = new dropframe.LiveFeed({
    startAt: dropframe.instant(0),
    next: () => video.next(),
    deliver: (now, unit) => sender.send(now, unit),
    finish: () => sender.finish(),
  });
  const paths = { forward: new dropframe.Link(link, 'forward'), back: new dropframe.Link(link, 'back') };
  new dropframe.Simulation({ sender, receiver, ...paths, scripts: [feed] }).runUntil(
    dropframe.instant(dropframe.seconds(22)),
  );
  const { onTime, recovered } = receiver.statistics.frames;
  return (onTime + recovered) / size.frames;
}

const mean = (of: (seed: number) => number) => [1, 2, 3, 4].reduce((sum, seed) => sum + of(seed) / 4, 0);
export const own = mean((seed) => played((stream) => new AskTwiceAtOnce(stream), seed));
export const [reorder, nack, hybrid] = (['reorder', 'nack', 'hybrid'] as const).map((r) =>
  mean((seed) => played(r, seed)),
);
console.table({ reorder, own, nack, hybrid });
