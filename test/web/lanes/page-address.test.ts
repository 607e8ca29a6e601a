import { expect, test } from 'vitest';
import { LATENCY_MS_MAX } from '../../../protocol/control/latency-limit.ts';
import type { LanesState } from '../../../protocol/page/lane-message.ts';
import { readPageAddress, withoutTour, writeAddress } from '../../../web/lanes/page-address.ts';

const SOURCES = ['counter.mp4', 'a & b.mp4'];
const PRESENT = { sources: SOURCES, link: 'delay=10ms seed=1' };
const LANE = {
  transport: 'udp',
  recovery: 'hybrid',
  congestionControl: 'cubic',
  latencyMs: 200,
  onLoss: 'freeze',
} as const;
const faultsOf = (hash: string) => readPageAddress(hash, PRESENT).faults;

test('reads back the settings that it wrote', () => {
  const state: LanesState = {
    lanes: [
      { ...LANE, recovery: 'none', onLoss: 'smear', latencyMs: 0 },
      { ...LANE, latencyMs: LATENCY_MS_MAX },
      { ...LANE, transport: 'tcp', congestionControl: 'bbr' },
      { ...LANE, latencyMs: 300, follows: true },
    ],
    link: 'loss=4% delay=30ms±4ms order=kept seed=1',
    source: 'a & b.mp4',
    sources: SOURCES,
  };
  const { lanes, link, source } = state;
  expect(readPageAddress(writeAddress(state), PRESENT)).toEqual({ lanes, link, source, faults: [] });
});

test.each(['', '#', '#lanes=&link=&source='])('%j requests no settings', (hash) => {
  expect(readPageAddress(hash, PRESENT)).toEqual({ faults: [] });
});

test.each([
  ['#lanes=bogus.200', /^lane 1 names the strategy “bogus”, which is none of none, reorder, .*tcp-kernel$/],
  ['#lanes=none.200,,nack.5', /^lane 2 names the strategy “”/],
  ['#lanes=none', /^lane 1 has the latency “”, which is not a whole number of milliseconds from 0 to 60000$/],
  ['#lanes=none.60001', /^lane 1 has the latency “60001”/],
  ['#lanes=none.-1', /^lane 1 has the latency “-1”/],
  ['#lanes=none.200.blur', /^lane 1 ends in “blur”, which is neither smear nor freeze$/],
  ['#lanes=none.200.smear.smear', /^lane 1 ends in “smear”/],
  ['#lanes=none.1,none.2,none.3,none.4,none.5', /^5 lanes are given, and at most 4 are possible$/],
  ['#link=loss%3D200%25', /^invalid link: 'loss=200%': /],
  ['#link=delay%3D1ms%20at%201s:%20loss%3D5%25', /accepts neither netem nor timed changes$/],
  [`#link=${'x'.repeat(601)}`, /^a link has at most 600 characters$/],
  ['#source=film.mp4', /^unknown source “film.mp4”$/],
  [`#source=${'x'.repeat(200)}`, /^unknown source “x{40}…”$/],
  ['#lane=none.200', /^“lane” is not a setting \(lanes, link and source are\)$/],
  ['#link=loss%3D1%25&link=loss%3D2%25', /^link is given twice$/],
])('rejects %s as a whole, with the fault in words', (hash, words) => {
  expect(faultsOf(`${hash}${hash.includes('source') ? '' : '&source=counter.mp4'}`)).toEqual([
    expect.stringMatching(words),
  ]);
  expect(Object.keys(readPageAddress(hash, PRESENT))).toEqual(['faults']);
});

test.each([
  'loss=1% seed=1 at 2000ms: loss=50%',
  'netem="loss 1% delay 30ms" seed=1',
  'trace=my-own.down#abeacf8eec2aa83a',
])('accepts %s while it is in force, although only the command line can set it', (link) => {
  const address = `#${new URLSearchParams({ lanes: 'hybrid.200', link, source: 'counter.mp4' })}`;
  expect(readPageAddress(address, { ...PRESENT, link })).toEqual({
    lanes: [LANE],
    link,
    source: 'counter.mp4',
    faults: [],
  });
  expect(faultsOf(address)).toHaveLength(1);
});

test('reports all faults at once', () => {
  expect(faultsOf('#lanes=x.1,none.y&source=z')).toHaveLength(3);
});

const PAGE = 'http://127.0.0.1:7080/';
const SETTINGS = '#lanes=nack.200%2Ctcp-cubic.200&link=loss%3D4%25+seed%3D1&source=counter.h264';

test.each([
  [`?tour${SETTINGS}`, SETTINGS],
  [`?tour=off${SETTINGS}`, SETTINGS],
  [`?embed&tour${SETTINGS}`, `?embed=${SETTINGS}`],
  [SETTINGS, SETTINGS],
])('copies %s as %s', (address, copied) => {
  expect(withoutTour(PAGE + address)).toBe(PAGE + copied);
});
