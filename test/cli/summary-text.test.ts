import { describe, expect, test } from 'vitest';
import { receiverStatus, summaryText } from '../../cli/summary-text.ts';
import { microseconds } from '../../protocol/base/units.ts';
import { pageStatistics, type RunCircumstances, summarizeRun } from '../../session/run/run-summary.ts';
import { statisticsFigures } from '../../web/shared/figures.ts';

const QUIET: RunCircumstances = {
  transport: 'udp',
  transports: ['udp'],
  encrypted: false,
  recovery: 'hybrid',
  latencyMs: 120,
  link: undefined,
  media: undefined,
  durationSeconds: 1,
  ipv6: false,
  stalledFor: microseconds(0),
  segments: undefined,
  modelledTcp: undefined,
  hostFaults: { drops: 0, refusedHere: 0, refusedBySender: 0, notAuthentic: undefined },
  recordedFrames: undefined,
};

describe('losses on the machines themselves', () => {
  const summary = summarizeRun([], {
    ...QUIET,
    hostFaults: { drops: 27_202, refusedHere: 3, refusedBySender: 984, notAuthentic: undefined },
  });

  test('are named as such in the summary, on the status line and on the page', () => {
    expect(summaryText(summary)).toMatch(/this computer +dropped 27202 datagrams before they were read/);
    expect(summaryText(summary)).toMatch(/not sent +984 datagrams of the sender and 3 of this receiver were refused/);
    expect(JSON.stringify(receiverStatus(summary, null, undefined))).toContain('27202 dropped by this computer');
    expect(statisticsFigures(pageStatistics(summary, null)).lossCount?.text).toContain(
      '27,202 dropped by this computer',
    );
    expect(summary).toMatchObject({ hostDrops: 27_202, sendsRefused: { sender: 984, receiver: 3 } });
  });

  test('are not mentioned when there are none', () => {
    const none = summarizeRun([], QUIET);
    expect(`${summaryText(none)}${JSON.stringify(receiverStatus(none, null, undefined))}`).not.toMatch(
      /this computer|not sent/,
    );
  });
});

test('a run that changed from UDP to TCP counts the headers of each', () => {
  expect(summarizeRun([], { ...QUIET, transports: ['udp', 'tcp'] })).toMatchObject({
    transport: 'tcp',
    recovery: 'none',
  });
});
