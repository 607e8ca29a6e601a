import { assert } from '../../protocol/base/assert.ts';
import { binomial } from './binomial.ts';

/** A frame on a path with independent losses. */
export interface CodedFrame {
  /** Share of packets lost, 0 to below 1. */
  readonly loss: number;
  /** Packets of the frame, 1 or more; of several frames together when they are coded together. */
  readonly packets: number;
  /** Times that the sender can learn what is missing and send again before the deadline, 0 or more. */
  readonly rounds: number;
}

/** One way to send frames: the share of them that fail, and packets sent per frame. */
export interface SendingPolicy {
  readonly lost: number;
  readonly sent: number;
}

/** Range of the price of a lost frame, in packets; beyond it, shares of lost frames are below 10⁻⁹. */
const PRICE_MIN = 1e-3;
const PRICE_MAX = 1e10;
/** Policies closer than this to the line between their neighbors are omitted, as a share of the packets sent. */
const TOLERANCE = 1e-7;
/** Longer sends that are tried after one that was no better. */
const PATIENCE = 12;

/**
 * Lowest cost of any scheme that codes frame by frame: with an ideal (MDS) code, of which any `packets` received
 * complete the frame, and with feedback that is never lost. In each round, the number of packets to send is that which
 * minimizes packets + price · P(failure), by backward induction over the rounds. All packets are sent once.
 *
 * @returns the policies on the lower convex hull, by falling loss. Costs between two of them are reached by choosing
 * at random between both.
 */
export function framePolicies(frame: CodedFrame): readonly SendingPolicy[] {
  const { loss, packets, rounds } = frame;
  assert(loss >= 0 && loss < 1, 'the loss must be below 1');
  assert(Number.isInteger(packets) && packets > 0, 'a frame must have packets');
  assert(Number.isInteger(rounds) && rounds >= 0, 'the rounds must be counted');
  const sends = sendsOf(frame);
  const cheapest = policyFor(frame, sends, PRICE_MIN);
  const safest = policyFor(frame, sends, PRICE_MAX);
  const policies = [cheapest];
  const between = (left: SendingPolicy, right: SendingPolicy): void => {
    if (!(left.lost > right.lost)) return;
    const price = (right.sent - left.sent) / (left.lost - right.lost);
    const policy = policyFor(frame, sends, price);
    const gain = left.sent + price * left.lost - policy.sent - price * policy.lost;
    if (gain <= TOLERANCE * policy.sent) return;
    between(left, policy);
    policies.push(policy);
    between(policy, right);
  };
  between(cheapest, safest);
  if (safest.lost < cheapest.lost) policies.push(safest);
  return policies;
}

/** Returns the packets per frame that the policies need for a share of lost frames; `undefined` when none reaches it. */
export function packetsForLoss(policies: readonly SendingPolicy[], lost: number): number | undefined {
  let before: SendingPolicy | undefined;
  for (const policy of policies) {
    if (policy.lost <= lost) {
      if (!before) return policy.sent;
      const share = (before.lost - lost) / (before.lost - policy.lost);
      return before.sent + share * (policy.sent - before.sent);
    }
    before = policy;
  }
  return undefined;
}

/** Distributions of packets received, by packets sent. */
function sendsOf({ loss, packets }: CodedFrame): readonly Float64Array[] {
  const most = Math.ceil((packets * 2 + 60) / (1 - loss));
  return Array.from({ length: most + 1 }, (_, sent) => binomial(sent, 1 - loss));
}

function policyFor({ packets, rounds }: CodedFrame, sends: readonly Float64Array[], price: number): SendingPolicy {
  // By packets missing: P(failure) and packets still to be sent, with the rounds that are left.
  let lost = new Float64Array(packets + 1).fill(1);
  let sent = new Float64Array(packets + 1);
  lost[0] = 0;
  for (let round = rounds; round >= 0; round--) {
    const nextLost = new Float64Array(packets + 1);
    const nextSent = new Float64Array(packets + 1);
    const [first, least] = round === 0 ? [packets, packets] : [1, 0];
    for (let missing = first; missing <= packets; missing++) {
      let best = Number.POSITIVE_INFINITY;
      let worse = 0;
      for (let count = least; count < sends.length && worse <= PATIENCE; count++) {
        let [failing, cost] = [0, count];
        const shares = sends[count]!;
        for (let received = 0; received < missing && received <= count; received++) {
          failing += shares[received]! * lost[missing - received]!;
          cost += shares[received]! * sent[missing - received]!;
        }
        if (cost + price * failing < best) {
          best = cost + price * failing;
          nextLost[missing] = failing;
          nextSent[missing] = cost;
          worse = 0;
        } else worse++;
      }
    }
    [lost, sent] = [nextLost, nextSent];
  }
  return { lost: lost[packets]!, sent: sent[packets]! };
}
