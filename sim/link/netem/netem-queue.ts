import { type Instant, instant, latest, microseconds } from '../../../protocol/base/units.ts';
import { UDP_IP_HEADER_BYTES } from '../../../protocol/ip-packet.ts';
import { RandomStream } from '../../random.ts';
import { DeliveryQueue } from '../delivery-queue.ts';
import { FourState } from '../loss/four-state.ts';
import { GilbertElliott } from '../loss/gilbert-elliott.ts';
import type { LossSource } from '../loss/loss-source.ts';
import { normalTable, paretoTable, type QuantileTable } from '../quantile-table.ts';
import { flipBit } from '../stages/corruption.ts';
import { CorrelatedRandom } from './correlated-random.ts';
import { NETEM_LIMIT_DEFAULT, type NetemParameters } from './netem-parameters.ts';

/** Number of copies of one datagram by outcome. */
export interface NetemOutcome {
  carried: number;
  lost: number;
  overflowed: number;
  duplicated: number;
}

/**
 * A queue that applies impairments in netem's order: duplication, loss, corruption, limit, reordering, delay and rate
 * (`sch_netem.c`, Linux 6.18). Random draws come from our own streams, so the distributions match the kernel and the
 * individual fates do not. As in the kernel, a duplicate passes the queue from the start and shifts the losses of later
 * datagrams.
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
  #lastSendAt: Instant = instant(0);

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

  /** Mark of the datagram removed last. */
  get mark(): number {
    return this.#queue.mark;
  }

  pop(now: Instant): Uint8Array | undefined {
    return this.#queue.pop(now);
  }

  push(now: Instant, datagram: Uint8Array, mark = 0): NetemOutcome {
    const outcome: NetemOutcome = { carried: 0, lost: 0, overflowed: 0, duplicated: 0 };
    const duplicated = this.#duplicate.happens(this.#netem.duplicate?.share ?? 0);
    const lost = this.#isLost();
    if (duplicated) outcome.duplicated++;
    if (lost) outcome.lost++;
    // Duplicated and lost: one copy passes.
    if (lost && !duplicated) return outcome;
    // The duplicate is enqueued first, from the start of the queue, and is not duplicated again.
    if (duplicated && !lost) {
      if (this.#isLost()) outcome.lost++;
      else this.#enqueue(now, datagram, outcome, mark);
    }
    this.#enqueue(now, datagram, outcome, mark);
    return outcome;
  }

  #isLost(): boolean {
    const index = this.#entered++;
    if (this.#lossModel) return this.#lossModel.lost(index, microseconds(0), undefined);
    const { loss } = this.#netem;
    return loss !== undefined && 'share' in loss && this.#loss.happens(loss.share);
  }

  #enqueue(now: Instant, datagram: Uint8Array, outcome: NetemOutcome, mark: number): void {
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
      this.#queue.push(now, arriving, mark);
      return;
    }
    this.#sinceReorder++;
    const at = this.#sendTime(now, datagram.length);
    this.#lastSendAt = this.#queue.length === 0 ? at : latest(this.#lastSendAt, at);
    this.#queue.push(at, arriving, mark);
  }

  #sendTime(now: Instant, bytes: number): Instant {
    const { rate, delay = 0, jitter = 0 } = this.#netem;
    const wanted = this.#delayOf(delay, jitter);
    const transmission = rate === undefined ? 0 : Math.round(((bytes + UDP_IP_HEADER_BYTES) * 8_000_000) / rate);
    // A delivery time in the past becomes `now`.
    if (rate === undefined || this.#queue.length === 0) return instant(now + Math.max(0, wanted + transmission));
    // With datagrams ahead, their waiting time counts as part of the delay, and order is kept.
    return instant(this.#lastSendAt + Math.max(0, wanted - (this.#lastSendAt - now)) + transmission);
  }

  /** Uniform in [delay − jitter, delay + jitter), or from a table with the jitter as standard deviation. */
  #delayOf(delay: number, jitter: number): number {
    if (jitter === 0) return delay;
    const draw = this.#delay.next();
    if (this.#table) return Math.round(delay + this.#table.at(draw) * jitter);
    return (draw % (2 * jitter)) + delay - jitter;
  }
}
