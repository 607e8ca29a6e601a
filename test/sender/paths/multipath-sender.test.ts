import { expect, test } from 'vitest';
import { instant } from '../../../protocol/base/units.ts';
import type { Endpoint } from '../../../protocol/endpoint.ts';
import { appendPathReport } from '../../../protocol/rtcp/path-report.ts';
import { serializeRtcp } from '../../../protocol/rtcp/rtcp.ts';
import { wireSequence } from '../../../protocol/rtp/sequence.ts';
import { MultipathSender } from '../../../sender/paths/multipath-sender.ts';
import { PathHealth } from '../../../sender/paths/path-health.ts';

const REPORT_SSRC = 77;

const silent: Endpoint<never> = {
  handleDatagram: () => {},
  handleTimeout: () => {},
  pollTransmit: () => undefined,
  pollEvent: () => undefined,
  pollTimeout: () => undefined,
};

function opened() {
  const sender = new MultipathSender(
    silent,
    { ssrc: 1, initialSequence: 0, distribution: 'split', firstShare: 0.5 },
    new PathHealth(0),
  );
  sender.expectReportsFrom(REPORT_SSRC);
  return sender;
}

const report = (ssrc: number) => serializeRtcp([{ kind: 'receiver-report', ssrc, reports: [] }]);
const arrivals = { newest: wireSequence(0), datagrams: 1 };
const pathReport = (ssrc: number) => appendPathReport(report(ssrc), ssrc, { paths: [arrivals, arrivals] });

test.each([
  ['arbitrary bytes', new Uint8Array(40).fill(0x5a)],
  ['RTCP of another source', report(78)],
  ['a path report of another source', pathReport(78)],
  ['the first bytes of a report', report(REPORT_SSRC).slice(0, 7)],
  ['a report that is cut', pathReport(REPORT_SSRC).slice(0, -4)],
])('%s: the receiver was not heard', (_, datagram) => {
  const sender = opened();
  sender.handleDatagram(instant(5), datagram, undefined, 1);
  expect(sender.heardAt(1)).toBeUndefined();
});

test.each([
  ['a report', report(REPORT_SSRC)],
  ['a path report', pathReport(REPORT_SSRC)],
])('%s of the receiver is heard by the path that it came by, also as a copy', (_, datagram) => {
  const sender = opened();
  sender.handleDatagram(instant(5), datagram, undefined, 0);
  expect([sender.heardAt(0), sender.heardAt(1)]).toEqual([5, undefined]);
  sender.handleDatagram(instant(9), datagram, undefined, 1);
  expect([sender.heardAt(0), sender.heardAt(1)]).toEqual([5, 9]);
});
