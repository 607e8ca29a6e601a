import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ticks } from '../../protocol/base/units.ts';
import { serializeControlFrame } from '../../protocol/control/control-framing.ts';
import { parseControlMessage } from '../../protocol/control/control-message.ts';
import { announcedStreams, isDescribed } from '../../protocol/control/media-stream.ts';
import { serializeRtcp } from '../../protocol/rtcp/rtcp.ts';
import { writeFrameMark } from '../../protocol/rtp/frame-mark.ts';
import { wireSequence } from '../../protocol/rtp/sequence.ts';
import { parseSessionDescription } from '../../protocol/sdp.ts';
import { hex } from './bytes.ts';

const PROTOCOL = readFileSync(join(import.meta.dirname, '../../docs/PROTOCOL.md'), 'utf8');

/** Code blocks of a language. A line that begins with a brace starts another example. */
const blocks = (language: string): string[] =>
  [...PROTOCOL.matchAll(new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'))].map((match) => match[1]!);

test('every message in docs/PROTOCOL.md parses, and every kind has an example', () => {
  const examples = blocks('json').flatMap((block) => block.trim().split(/\n(?={)/));
  const kinds = examples
    .filter((example) => example.startsWith('{"kind"'))
    .map((example) => {
      const message = parseControlMessage(example);
      return message.ok ? message.value.kind : `${message.malformed}: ${example}`;
    });
  // A message that grows has an example of each of its forms.
  expect([...new Set(kinds)]).toEqual([
    ...['hello', 'attach', 'play', 'pause', 'request-keyframe', 'report-source', 'refuse-stream', 'statistics'],
    ...['welcome', 'attached', 'keyframe', 'sent', 'end-of-stream', 'refused', 'goodbye', 'keep-alive'],
    ...['authenticate', 'sealed-welcome'],
  ]);
});

test('the entry of a stream in docs/PROTOCOL.md parses, and is described', () => {
  const entries = blocks('json').filter((block) => block.startsWith('{"id"'));
  expect(entries).toHaveLength(1);
  expect(announcedStreams.parse(entries.map((entry) => JSON.parse(entry))).every(isDescribed)).toBe(true);
});

test('the bytes in docs/PROTOCOL.md are those that we send', () => {
  const mark = new Uint8Array(12);
  writeFrameMark(mark, 0, {
    frameNumber: 0x1234,
    packetIndex: 2,
    packetCount: 9,
    importance: 'key',
    decodeLead: ticks(0),
  });
  expect(hex('be de 00 02  16 80 12 34  00 02 00 09')).toEqual(mark);
  expect(PROTOCOL).toContain('be de 00 02  16 80 12 34  00 02 00 09');

  const play = '44 46 01 00 00 00 00 0f 7b 22 6b 69 6e 64 22 3a 22 70 6c 61 79 22 7d';
  expect(hex(play)).toEqual(serializeControlFrame(new TextEncoder().encode('{"kind":"play"}')));
  expect(PROTOCOL).toContain(play);

  const sequenceNumbers = [
    wireSequence(65_534),
    wireSequence(65_535),
    wireSequence(1),
    wireSequence(14),
    wireSequence(15),
  ];
  const nack = serializeRtcp([{ kind: 'nack', senderSsrc: 0, mediaSsrc: 0, sequenceNumbers }]);
  expect(hex('ff fe 80 05 00 0f 00 00')).toEqual(nack.subarray(12));
  expect(PROTOCOL).toContain('`ff fe 80 05` and `00 0f 00 00`');
});

test('the session description in docs/PROTOCOL.md parses', () => {
  const description = blocks('sdp')[0];
  expect(parseSessionDescription(description ?? '')).toMatchObject({
    ok: true,
    value: { port: 5_004, payloadType: 96 },
  });
});
