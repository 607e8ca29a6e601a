import type { TwoPathUse } from '../../protocol/control/two-path-use.ts';
import type { Endpoint } from '../../protocol/endpoint.ts';
import type { SentStreamParameters } from '../../protocol/stream-parameters.ts';
import type { SenderOptions } from '../sender-options.ts';
import { MultipathSender } from './multipath-sender.ts';
import { PathHealth } from './path-health.ts';

export interface StreamPathsOptions {
  /** Share of the media packets that leave by path 0 while both paths are up, 0 … 1; 0.5 by default. */
  readonly firstShare?: number | undefined;
  /** Share of the repair packets against the failure of a path that are sent (`coded`), 0 … 1; 1 by default. */
  readonly pathRepair?: number | undefined;
  /** True when both paths carry from the start; false where their addresses have to be proved first. */
  readonly areProved: boolean;
}

/** Both paths of a stream at its sender: their state, and how the stream uses them. */
export class StreamPaths {
  readonly health: PathHealth;
  readonly #use: TwoPathUse;
  readonly #stream: SentStreamParameters;
  readonly #options: StreamPathsOptions;

  constructor(use: TwoPathUse, stream: SentStreamParameters, options: StreamPathsOptions) {
    this.#use = use;
    this.#stream = stream;
    this.#options = options;
    this.health = new PathHealth(stream.initialSequence, options);
  }

  /** Options of the sender that depend on the paths. */
  get senderOptions(): Pick<SenderOptions, 'pathRepair'> {
    if (this.#use !== 'coded') return {};
    return { pathRepair: { isSplit: () => this.health.isSplit, share: this.#options.pathRepair ?? 1 } };
  }

  sendingEnd<Event>(sender: Endpoint<Event>): MultipathSender<Event> {
    const { ssrc, initialSequence, retransmission, repair } = this.#stream;
    return new MultipathSender(
      sender,
      {
        ssrc,
        initialSequence,
        ...(retransmission && { retransmissionSsrc: retransmission.ssrc }),
        ...(repair && { repairSsrc: repair.ssrc }),
        distribution: this.#use === 'duplicate' ? 'copied' : 'split',
        firstShare: this.#options.firstShare ?? 0.5,
      },
      this.health,
    );
  }
}
