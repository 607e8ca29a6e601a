import type { Endpoint } from '../../protocol/endpoint.ts';
import type { SentStreamParameters } from '../../protocol/stream-parameters.ts';
import { MultipathReceiver } from '../../receiver/paths/multipath-receiver.ts';
import { MultipathSender } from '../../sender/paths/multipath-sender.ts';
import { PathHealth } from '../../sender/paths/path-health.ts';
import type { PathSchedulerOptions } from '../../sender/paths/path-scheduler.ts';
import type { SenderOptions } from '../../sender/sender-options.ts';
import { REPORT_SSRC } from '../../sim/simulated-stream.ts';
import type { PathStrategyName } from '../strategies.ts';
import type { StrategyParameters } from '../strategy.ts';

/** Both ends of a stream over two paths, around our sender and receiver. */
export class CellPaths {
  readonly #strategy: PathStrategyName;
  readonly #parameters: StrategyParameters;
  readonly #stream: SentStreamParameters;
  readonly #health: PathHealth;

  constructor(strategy: PathStrategyName, parameters: StrategyParameters, stream: SentStreamParameters) {
    this.#strategy = strategy;
    this.#parameters = parameters;
    this.#stream = stream;
    this.#health = new PathHealth(stream.initialSequence);
  }

  /** Options of the sender that depend on the paths. */
  get senderOptions(): Pick<SenderOptions, 'pathRepair'> {
    if (this.#strategy !== 'paths-coded') return {};
    return { pathRepair: { isSplit: () => this.#health.isSplit, share: this.#parameters.pathRepair ?? 1 } };
  }

  sendingEnd<Event>(sender: Endpoint<Event>): Endpoint<Event> {
    const { ssrc, initialSequence, retransmission } = this.#stream;
    const options: PathSchedulerOptions = {
      ssrc,
      initialSequence,
      ...(retransmission && { retransmissionSsrc: retransmission.ssrc }),
      distribution: this.#strategy === 'paths-duplicate' ? 'copied' : 'split',
      firstShare: this.#parameters.firstShare ?? 0.5,
    };
    return new MultipathSender(sender, options, this.#health);
  }

  receivingEnd<Event>(receiver: Endpoint<Event>): Endpoint<Event> {
    const { ssrc, initialSequence } = this.#stream;
    return new MultipathReceiver(receiver, { ssrc, initialSequence, reportSsrc: REPORT_SSRC });
  }
}
