import { expect, test } from 'vitest';
import { relayComplaint } from '../../../io/sources/live-relay.ts';

const URL = 'rtp://127.0.0.1:5004';

test('RTP that only an SDP file describes is refused with what to do', () => {
  const printed =
    '[rtp @ 0x561287adc980] Unable to receive RTP payload type 96 without an SDP file describing it\n' +
    `${URL}: Invalid data found when processing input\n`;
  const cause = relayComplaint(printed, URL);
  expect(cause).toMatch(/payload type 96, whose codec only an SDP file names: send MPEG-TS/);
  expect(cause).toContain('dropframe receive FILE.sdp');
});

test('other causes are those of ffmpeg', () => {
  expect(relayComplaint(`${URL}: Connection refused\n`, URL)).toBe('Connection refused');
  expect(relayComplaint('', URL)).toBeUndefined();
});
