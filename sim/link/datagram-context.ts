import { type Ecn, NOT_ECT } from '../../protocol/ecn.ts';

/** Properties of a datagram that are not in its bytes. */
export interface DatagramContext {
  /** Number of the frame that the datagram belongs to, ascending; used by loss models that step per frame. */
  readonly frame?: number;
  /** ECN bits of its IP header; absent: not ECN-capable. */
  readonly ecn?: Ecn;
  /** Number of its flow, 0 … 2^30 − 1, for disciplines with a queue per flow and for `deliveredFlow`. Default 0. */
  readonly flow?: number;
  /** Number of the path that it takes, where there are several in parallel. Default 0. */
  readonly path?: number;
  /** Its header bytes on the line, where they differ from the link's. */
  readonly headerBytes?: number;
}

/** Flow and ECN bits of a datagram as one number, which accompanies it through the link. */
export const markOf = ({ flow = 0, ecn = NOT_ECT }: Pick<DatagramContext, 'flow' | 'ecn'>): number => flow * 4 + ecn;
