import { CLOCK_RATE, type Ticks, ticks } from '../base/units.ts';

/**
 * Conversion between media time, which is 90 kHz everywhere in this program, and the RTP clock of a stream (RFC 3550
 * §5.1). Packetizer and intake convert; nothing between them knows the stream's clock.
 *
 * A timestamp of a clock of at most 90 kHz is the same after conversion to media time and back. A media time between
 * two ticks of the stream's clock moves to the nearer one, by at most half a tick (10 µs at 48 kHz).
 */

/** Converts media time, or a distance in it, to ticks of an RTP clock. */
export const toRtpTicks = (mediaTime: Ticks, clockRate: number): Ticks =>
  clockRate === CLOCK_RATE ? mediaTime : ticks(Math.round((mediaTime * clockRate) / CLOCK_RATE));

/** Converts extended ticks of an RTP clock, or a distance in them, to media time. */
export const toMediaTime = (rtpTicks: Ticks, clockRate: number): Ticks =>
  clockRate === CLOCK_RATE ? rtpTicks : ticks(Math.round((rtpTicks * CLOCK_RATE) / clockRate));
