import { describe, expect, test } from 'vitest';
import { receiverStatus, summaryText } from '../../cli/summary-text.ts';
import { microseconds } from '../../protocol/base/units.ts';
import { Receiver } from '../../receiver/receiver.ts';
import { pageStatistics, type RunCircumstances, summarizeRun } from '../../session/run/run-summary.ts';
import { statisticsFigures } from '../../web/shared/figures.ts';
import { RECEIVER_OPTIONS } from '../simulated-session.ts';

const QUIET: RunCircumstances = {
  transport: 'udp',
  transports: ['udp'],
  sessionCauses: ['first'],
  encrypted: false,
  recovery: 'hybrid',
  latencyMs: 120,
  link: undefined,
  media: undefined,
  durationSeconds: 1,
  ipv6: false,
  stalledFor: microseconds(0),
  segments: undefined,
  modeledTcp: undefined,
  hostFaults: { drops: 0, refusedHere: 0, refusedBySender: 0, notAuthentic: undefined },
  recordedFrames: undefined,
};

describe('losses on the machines themselves', () => {
  const summary = summarizeRun([], {
    ...QUIET,
    hostFaults: { drops: 27_202, refusedHere: 3, refusedBySender: 984, notAuthentic: undefined },
  });

  test('are named as such in the summary, on the status line and on the page', () => {
    expect(summaryText(summary)).toMatch(/this computer +dropped at least 27202 datagrams before they were read/);
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

describe('frames that the sender left out', () => {
  const session = { ...new Receiver(RECEIVER_OPTIONS).statistics, framesWithheld: 97 };
  const textWith = (drops: number | undefined) =>
    summaryText(summarizeRun([session], { ...QUIET, hostFaults: { ...QUIET.hostFaults, drops } }));

  test('are attributed to the path only where this computer is known to have dropped nothing', () => {
    expect(textWith(0)).toContain('; 97 more were not sent, because the path has too little capacity');
    expect(textWith(undefined)).toContain('; 97 more were not sent, because less arrived than was sent\n');
  });

  test('come with a remedy where the sender copies', () => {
    const media = { mode: 'copy' } as typeof QUIET.media;
    const text = summaryText(
      summarizeRun([session], { ...QUIET, media, hostFaults: { ...QUIET.hostFaults, drops: 0 } }),
    );
    expect(text).toContain('the path has too little capacity, to which send --rate auto adapts the picture');
  });

  test('are attributed to this computer where it dropped datagrams', () => {
    expect(textWith(3_400)).not.toContain('too little capacity');
    expect(textWith(3_400)).toContain('because less arrived than was sent, and this computer dropped some of it');
  });
});

test('the summary gives the observed reason for further sessions', () => {
  const textOf = (...sessionCauses: RunCircumstances['sessionCauses']) => {
    const sessions = sessionCauses.map(() => new Receiver(RECEIVER_OPTIONS).statistics);
    return /sessions +(.*)/.exec(summaryText(summarizeRun(sessions, { ...QUIET, sessionCauses })))?.[1];
  };
  expect(textOf('first')).toBeUndefined();
  expect(textOf('first', 'tcp-instead')).toBe('2: no datagram arrived over UDP, so the stream switched to TCP');
  expect(textOf('first', 'sender-stopped', 'path-silent', 'path-silent')).toBe(
    '4: the sender stopped and returned; datagrams stopped, though the sender answered on TCP (2 times)',
  );
});

test('a run that changed from UDP to TCP counts the headers of each', () => {
  expect(summarizeRun([], { ...QUIET, transports: ['udp', 'tcp'] })).toMatchObject({
    transport: 'tcp',
    recovery: 'none',
  });
});
