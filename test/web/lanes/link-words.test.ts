import { expect, test } from 'vitest';
import { formatLinkSpecification } from '../../../sim/link/link-format.ts';
import { parseLinkSpecification } from '../../../sim/link/link-parse.ts';
import { readableLink } from '../../../web/lanes/link-words.ts';

test.each([
  ['rate=10000000bit queue=500ms seed=1', 'rate=10mbit queue=500ms seed=1'],
  ['rate=2500000bit', 'rate=2.5mbit'],
  ['rate=40000bit cross=250000bit', 'rate=40kbit cross=250kbit'],
  ['rate=999bit', 'rate=999bit'],
  ['queue=200000b seed=1', 'queue=200kB seed=1'],
  ['queue=100ms/64500b/25p', 'queue=100ms/64.5kB/25p'],
  ['queue=999b', 'queue=999B'],
  ['ge=1%/33.3333333333%', 'ge=1%/33%'],
  ['ge=1.23456%/50%', 'ge=1.23%/50%'],
  ['loss=0.001%', 'loss=0.001%'],
  ['delay=30ms jitter=4ms dist=symmetric order=kept', 'delay=30ms±4ms order=kept'],
  ['delay=30ms jitter=4ms dist=normal', 'delay=30ms jitter=4ms dist=normal'],
])('shows %s as %s', (text, shown) => {
  expect(readableLink(text)).toBe(shown);
});

test('shows a link that still is the same link', () => {
  const read = (text: string) => {
    const link = parseLinkSpecification(text);
    if (!link.ok) throw new Error(link.malformed);
    return formatLinkSpecification(link.value);
  };
  const canonical = read(
    'loss=4% burst=2 delay=30ms±4ms order=kept rate=1234567bit queue=300ms/64123b cross=750kbit seed=9',
  );
  expect(read(readableLink(canonical))).toBe(canonical);
});
