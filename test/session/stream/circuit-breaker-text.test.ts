import { expect, test } from 'vitest';
import { circuitBreakerText } from '../../../session/stream/circuit-breaker-text.ts';

test('a change of the circuit breaker is told in one line: what was seen, and what follows', () => {
  expect(circuitBreakerText({ change: 'ceased', cause: 'rtcp-timeout' })).toBe(
    'no report from the receiver for 15 s: sending stops until a report shows that it arrives',
  );
  expect(circuitBreakerText({ change: 'reduced', cause: 'congestion' })).toBe(
    'at the reported loss, a TCP connection would send less than a tenth: the rate is cut to a tenth',
  );
  expect(circuitBreakerText({ change: 'restored', cause: 'media-timeout' })).toBe(
    'the stream arrives again: sending goes on',
  );
});
