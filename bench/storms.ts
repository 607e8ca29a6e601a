import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { namespaceArguments } from '../io/os/network-namespace.ts';
import { makeClip } from './clips.ts';
import type { BenchPart } from './part.ts';
import { outputOf } from './programs.ts';
import type { StormOutcome, StormRow } from './storms/storm-row.ts';
import { textTable } from './table.ts';

const SECONDS = 20;
const QUICK_SECONDS = 6;
const MANY = 32;

const row = (kind: string, own: Partial<StormRow> = {}): StormRow => ({
  kind,
  networks: 1,
  family: 4,
  secure: true,
  protocol: 'dropframe',
  ...own,
});
const many = (kind: string, own: Partial<StormRow> = {}): StormRow => row(kind, { networks: MANY, ...own });

const ROWS: readonly StormRow[] = [
  row('none'),
  row('nack'),
  row('short nack'),
  many('short nack'),
  many('short nack', { secure: false }),
  row('pli'),
  many('pli'),
  row('statistics'),
  row('attach'),
  many('attach'),
  row('join'),
  many('join'),
  many('join', { networks: 128 }),
  many('join', { family: 6 }),
  many('join', { secure: false }),
  many('join over TCP'),
  many('silent'),
  many('handshake begun'),
  many('handshake done'),
  many('handshake done', { networks: 128 }),
  many('frame begun'),
  many('noise'),
  many('hellos'),
  many('rtsp silent'),
  many('rtsp setup'),
  many('rtsp setup', { secure: false }),
  many('rtsp unread'),
  many('whep silent'),
  many('whep offers'),
  many('whep slow'),
  row('none', { protocol: 'rist' }),
  many('to the receiver: packets', { protocol: 'rist' }),
  many('to the receiver: feedback', { protocol: 'rist' }),
  many('to the sender: feedback', { protocol: 'rist' }),
  row('none', { protocol: 'rtp' }),
  many('to the receiver: packets', { protocol: 'rtp' }),
  many('to the receiver: feedback', { protocol: 'rtp' }),
  many('to the sender: feedback', { protocol: 'rtp' }),
];

/**
 * Frames that a well-behaved receiver loses while strangers of many networks attack a sender, each in a network namespace.
 * DROPFRAME_STORMS, a regular expression, selects rows.
 */
export const storms: BenchPart = async ({ folder, programs, quick, progress }) => {
  const clip = await makeClip(folder, 4, '1280x720', programs);
  const scene = fileURLToPath(new URL('./storms/scene.js', import.meta.url));
  const selected = new RegExp(process.env.DROPFRAME_STORMS ?? '');
  const seconds = String(quick ? QUICK_SECONDS : SECONDS);
  const outcomes: (StormRow & Partial<StormOutcome>)[] = [];
  for (const each of ROWS.filter((candidate) => selected.test(nameOf(candidate)))) {
    progress(`storms: ${nameOf(each)}`);
    const words = [...(await namespaceArguments()), '--', execPath, scene, JSON.stringify(each), clip.path, seconds];
    const child = programs.start('unshare', words, { stdio: ['ignore', 'pipe', 'inherit'] });
    const text = await outputOf(child, nameOf(each)).catch(() => '{}');
    const outcome = JSON.parse(text) as Partial<StormOutcome>;
    outcomes.push({ ...each, ...outcome });
    progress(`storms: ${nameOf(each)}: ${text.trim()}`);
  }
  const rows = outcomes.map((each) => [
    nameOf(each),
    each.made?.toLocaleString('en') ?? 'no result',
    String(each.frames ?? ''),
    String(each.lost ?? ''),
    each.processorMs?.toFixed(0) ?? '',
    each.megabytes?.toFixed(0) ?? '',
    each.joinedMs === undefined ? '–' : (each.joinedMs / 1_000).toFixed(1),
    each.ended ? 'ended' : String(each.sessions ?? ''),
  ]);
  const text = [
    `Frames of a receiver (4 Mb/s, 30 a second, 120 ms; 1,000 ms by RIST and RTP) in another network, during attacks of ${seconds} s.`,
    'Made: connections, requests or datagrams. Joined: seconds in which another receiver starts and shows a frame.',
    '',
    textTable(['attack', 'made', 'frames', 'lost', 'sender, ms a second', 'MB', 'joined', 'sessions'], rows),
  ].join('\n');
  return { text, figures: outcomes };
};

function nameOf({ kind, networks, family, secure, protocol }: StormRow): string {
  const plain = protocol === 'dropframe' ? (secure ? '' : ', not encrypted') : `, ${protocol}`;
  return `${kind}${plain}${networks > 1 ? `, ${networks} networks` : ''}${family === 6 ? ', IPv6' : ''}`;
}
