import { expect, test } from 'vitest';
import { circuitBreakerText, reportsText } from '../../../session/stream/rate-warning-text.ts';

test('formats a state change as one line with cause and effect', () => {
  expect(circuitBreakerText({ change: 'ceased', cause: 'rtcp-timeout' })).toBe(
    'no report from the receiver for 15 s: sending stops until a report shows that packets arrive',
  );
  expect(circuitBreakerText({ change: 'reduced', cause: 'congestion' })).toBe(
    'at the reported loss, a TCP connection would send less than a tenth: the rate is cut to a tenth',
  );
  expect(circuitBreakerText({ change: 'restored', cause: 'media-timeout' })).toBe('path recovered: resuming');
});

test('formats missing reports and their return as one line each', () => {
  expect(reportsText('missing')).toBe(
    'no report of a packet received for 5 s: the bit rate falls to its minimum until there is one',
  );
  expect(reportsText('back')).toBe('reports arrive again: the bit rate follows the path');
});
