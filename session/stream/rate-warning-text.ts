import type { CircuitBreakerCause, CircuitBreakerNotice } from '../../sender/rate/circuit-breaker.ts';

const CAUSES: Readonly<Record<CircuitBreakerCause, string>> = {
  'rtcp-timeout': 'no report from the receiver for 15 s',
  'media-timeout': 'by its reports, nothing reaches the receiver',
  congestion: 'at the reported loss, a TCP connection would send less than a tenth',
};

/** Describes in one line that reports on single datagrams cannot be used, or can again. */
export const reportsText = (change: 'missing' | 'back'): string =>
  change === 'missing'
    ? 'no report of a packet received for 5 s: the bit rate falls to its minimum until there is one'
    : 'reports arrive again: the bit rate follows the path';

/** Describes a change of the circuit breaker (RFC 8083) in one line. */
export function circuitBreakerText({ change, cause }: CircuitBreakerNotice): string {
  switch (change) {
    case 'reduced':
      return `${CAUSES[cause]}: the rate is cut to a tenth`;
    case 'ceased':
      return `${CAUSES[cause]}: sending stops until ${cause === 'congestion' ? 'half a minute has passed' : 'a report shows that packets arrive'}`;
    case 'restored':
      return 'path recovered: resuming';
    default:
      return change satisfies never;
  }
}
