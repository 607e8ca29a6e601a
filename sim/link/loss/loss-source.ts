import type { Microseconds } from '../../../protocol/base/instant.ts';

/** Decides which datagrams are lost. Datagrams are asked for in order, and time does not run backwards. */
export interface LossSource {
  /**
   * @param index of the datagram on this direction, from 0.
   * @param at the time since the link began, microseconds.
   * @param frame to which the datagram belongs, ascending; `undefined`: nobody says.
   */
  lost(index: number, at: Microseconds, frame: number | undefined): boolean;
}
