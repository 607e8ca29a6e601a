import type { Instant } from '../../../protocol/base/instant.ts';
import { RandomStream } from '../../random.ts';
import { DeliveryQueue } from '../delivery-queue.ts';
import { FourState } from '../loss/four-state.ts';
import { GilbertElliott } from '../loss/gilbert-elliott.ts';
import type { LossSource } from '../loss/loss-source.ts';
import { normalTable, paretoTable, type QuantileTable } from '../quantile-table.ts';
import { HEADER_BYTES } from '../stages/bottleneck.ts';
import { flipBit } from '../stages/corruption.ts';
import { CorrelatedRandom } from './correlated-random.ts';
import { NETEM_LIMIT_DEFAULT, type NetemParameters } from './netem-parameters.ts';

/** What became of the copies of one datagram: how many of each. */
export interface NetemOutcome {
  carried: number;
  lost: number;
  overflowed: number;
  duplicated: number;
}

/**
 * A queue that treats datagrams in netem's order: duplicate, loss, corruption, limit, reordering, delay and rate
 * (`sch_netem.c` of Linux 6.18). Draws come from our own streams, not from the kernel's: the same laws, other fates.
 * As there, a duplicate goes through the queue from its beginning and so shifts the loss of what comes later.
 */
export class NetemQueue {
  readonly #netem: NetemParameters;
  readonly #queue = new DeliveryQueue<Uint8Array>();
  readonly #duplicate: CorrelatedRandom;
  readonly #corrupt: CorrelatedRandom;
  readonly #corruptBit: RandomStream;
  readonly #reorder: CorrelatedRandom;
  readonly #delay: CorrelatedRandom;
  readonly #table: QuantileTable | undefined;
  readonly #lossModel: LossSource | undefined;
  readonly #loss: CorrelatedRandom;
  #entered = 0;
  #corrupted = 0;
  #sinceReorder = 0;
  #lastSendAt: Instant = 0;

  constructor(netem: NetemParameters, seed: number, direction: string) {
    this.#netem = netem;
    const stream = (stage: string) => new RandomStream(seed, `${direction}/netem-${stage}`);
    const correlated = (stage: string, correlation = 0) => new CorrelatedRandom(stream(stage), correlation);
    this.#duplicate = correlated('duplicate', netem.duplicate?.correlation);
    this.#corrupt = correlated('corrupt', netem.corrupt?.correlation);
    this.#corruptBit = stream('corrupt-bit');
    this.#reorder = correlated('reorder', netem.reorder?.correlation);
    this.#delay = correlated('delay', netem.delayCorrelation);
    if (netem.distribution === 'normal') this.#table = normalTable();
    if (netem.distribution === 'pareto') this.#table = paretoTable();
    const { loss } = netem;
    this.#loss = correlated('loss', loss && 'correlation' in loss ? loss.correlation : 0);
    if (!loss || 'correlation' in loss) return;
    const [transitions, losses] = [stream('loss'), stream('loss-in-state')];
    this.#lossModel =
      loss.kind === 'four-state'
        ? new FourState(loss, transitions)
        : new GilbertElliott({ model: loss, transitions, losses, startsBad: false, firstStep: 0 });
  }

  get length(): number {
    return this.#queue.length;
  }

  get corrupted(): number {
    return this.#corrupted;
  }

  get nextAt(): Instant | undefined {
    return this.#queue.nextAt;
  }

  pop(now: Instant): Uint8Array | undefined {
    return this.#queue.pop(now);
  }

  push(now: Instant, datagram: Uint8Array): NetemOutcome {
    const outcome: NetemOutcome = { carried: 0, lost: 0, overflowed: 0, duplicated: 0 };
    const twice = this.#duplicate.happens(this.#netem.duplicate?.share ?? 0);
    const lost = this.#isLost();
    if (twice) outcome.duplicated++;
    if (lost) outcome.lost++;
    // Twice and lost: it passes once.
    if (lost && !twice) return outcome;
    // The duplicate goes first, and from the beginning; it is not duplicated again.
    if (twice && !lost) {
      if (this.#isLost()) outcome.lost++;
      else this.#enqueue(now, datagram, outcome);
    }
    this.#enqueue(now, datagram, outcome);
    return outcome;
  }

  #isLost(): boolean {
    const index = this.#entered++;
    if (this.#lossModel) return this.#lossModel.lost(index, 0, undefined);
    const { loss } = this.#netem;
    return loss !== undefined && 'share' in loss && this.#loss.happens(loss.share);
  }

  #enqueue(now: Instant, datagram: Uint8Array, outcome: NetemOutcome): void {
    const { limit = NETEM_LIMIT_DEFAULT, reorder } = this.#netem;
    let arriving = datagram;
    if (this.#corrupt.happens(this.#netem.corrupt?.share ?? 0) && datagram.length > 0) {
      arriving = flipBit(datagram, this.#corruptBit.uint32(this.#corrupted++));
    }
    if (this.#queue.length >= limit) {
      outcome.overflowed++;
      return;
    }
    outcome.carried++;
    const overtakes = reorder && this.#sinceReorder >= reorder.gap - 1 && this.#reorder.happens(reorder.share);
    if (overtakes) {
      this.#sinceReorder = 0;
      this.#queue.push(now, arriving);
      return;
    }
    this.#sinceReorder++;
    const at = this.#sendTime(now, datagram.length);
    this.#lastSendAt = this.#queue.length === 0 ? at : Math.max(this.#lastSendAt, at);
    this.#queue.push(at, arriving);
  }

  #sendTime(now: Instant, bytes: number): Instant {
    const { rate, delay = 0, jitter = 0 } = this.#netem;
    const wanted = this.#delayOf(delay, jitter);
    const transmission = rate === undefined ? 0 : Math.round(((bytes + HEADER_BYTES) * 8_000_000) / rate);
    // A time before now is now.
    if (rate === undefined || this.#queue.length === 0) return now + Math.max(0, wanted + transmission);
    // Behind others: what they wait counts as part of the delay, and nothing comes before them.
    return this.#lastSendAt + Math.max(0, wanted - (this.#lastSendAt - now)) + transmission;
  }

  /** Uniform over delay − jitter … delay + jitter, the end excluded, or from a table with the jitter as its deviation. */
  #delayOf(delay: number, jitter: number): number {
    if (jitter === 0) return delay;
    const draw = this.#delay.next();
    if (this.#table) return Math.round(delay + this.#table.at(draw) * jitter);
    return (draw % (2 * jitter)) + delay - jitter;
  }
}
