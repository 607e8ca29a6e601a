import type { Microseconds } from '../../../protocol/base/units.ts';

/** Decides which datagrams are lost. Called once per datagram, in order, with non-decreasing time. */
export interface LossSource {
  /**
   * Returns true when the datagram is lost.
   *
   * @param index of the datagram on this direction, from 0.
   * @param at time since the link began, microseconds.
   * @param frame number of the datagram's frame, ascending; `undefined` when unknown.
   */
  lost(index: number, at: Microseconds, frame: number | undefined): boolean;
}
