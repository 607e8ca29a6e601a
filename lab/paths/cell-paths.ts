import type { TwoPathUse } from '../../protocol/control/two-path-use.ts';
import type { Endpoint } from '../../protocol/endpoint.ts';
import type { SentStreamParameters } from '../../protocol/stream-parameters.ts';
import { MultipathReceiver } from '../../receiver/paths/multipath-receiver.ts';
import { StreamPaths } from '../../sender/paths/stream-paths.ts';
import type { SenderOptions } from '../../sender/sender-options.ts';
import { REPORT_SSRC } from '../../sim/simulated-stream.ts';
import type { PathStrategyName } from '../strategies.ts';
import type { StrategyParameters } from '../strategy.ts';

const USES: { readonly [Name in PathStrategyName]: TwoPathUse } = {
  'paths-duplicate': 'duplicate',
  'paths-split': 'split',
  'paths-coded': 'coded',
};

/** Both ends of a stream over two paths, around our sender and receiver. */
export class CellPaths {
  readonly #stream: SentStreamParameters;
  readonly #paths: StreamPaths;

  constructor(strategy: PathStrategyName, parameters: StrategyParameters, stream: SentStreamParameters) {
    const { firstShare, pathRepair } = parameters;
    this.#stream = stream;
    this.#paths = new StreamPaths(USES[strategy], stream, { firstShare, pathRepair, areProved: true });
  }

  /** Options of the sender that depend on the paths. */
  get senderOptions(): Pick<SenderOptions, 'pathRepair'> {
    return this.#paths.senderOptions;
  }

  sendingEnd<Event>(sender: Endpoint<Event>): Endpoint<Event> {
    return this.#paths.sendingEnd(sender);
  }

  receivingEnd<Event>(receiver: Endpoint<Event>): Endpoint<Event> {
    const { ssrc, initialSequence } = this.#stream;
    return new MultipathReceiver(receiver, { ssrc, initialSequence, reportSsrc: REPORT_SSRC });
  }
}
