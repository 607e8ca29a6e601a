import type { Ffmpeg } from './ffmpeg-locator.ts';
import { listStreams } from './ffmpeg-probe.ts';

/** Kinds of tracks that are not streamed, in the order in which they are named. */
const KINDS = [
  ['Video', 'other video track'],
  ['Audio', 'other sound track'],
  ['Subtitle', 'subtitle track'],
  ['Attachment', 'attachment'],
  ['Data', 'data track'],
] as const;
const COVER = '(attached pic)';
/** QuickTime's timecode track. */
const TIMECODE = /\btmcd\b/;

/**
 * Returns what a stream of an input does not carry, such as `1 attached picture (png)`; empty when it carries everything, as far as
 * ffmpeg can tell in time.
 * @param streamed which tracks it has, of those of the pictures and of the sound.
 */
export async function findLeftOut(
  ffmpeg: Pick<Ffmpeg, 'path'>,
  input: string,
  streamed: { readonly pictures: boolean; readonly sound: boolean },
): Promise<readonly string[]> {
  const { list, late } = await listStreams(ffmpeg, input);
  return late === undefined ? readLeftOut(list, streamed) : [`unknown tracks (${late})`];
}

/** Reads the same from ffmpeg's list of streams; see `readProbe`. */
export function readLeftOut(
  list: string,
  { pictures, sound }: { readonly pictures: boolean; readonly sound: boolean },
): readonly string[] {
  const lines = list.split(/[\r\n]+/);
  const found = new Map<string, string[]>();
  const add = (name: string, codec: string) => found.set(name, [...(found.get(name) ?? []), codec]);
  const used = { Video: pictures, Audio: sound };
  for (const line of lines) {
    const [, type = '', codec = ''] = /^\s*Stream #\d[^ ]* (\w+): (\w+)/.exec(line) ?? [];
    const kind = KINDS.find(([name]) => name === type);
    if (!kind) continue;
    const isCover = line.includes(COVER);
    if (!isCover && (type === 'Video' || type === 'Audio') && used[type]) used[type] = false;
    else if (TIMECODE.test(line)) add('timecode track', '');
    else add(isCover ? 'attached picture' : kind[1], codec === 'none' ? '' : codec);
  }
  const chapters = lines.filter((line) => /^\s*Chapter #\d/.test(line)).length;
  const texts = [...found].map(([name, codecs]) => {
    const names = [...new Set(codecs)].filter((codec) => codec !== '').slice(0, 3);
    return `${counted(codecs.length, name)}${names.length > 0 ? ` (${names.join(', ')})` : ''}`;
  });
  return chapters > 0 ? [...texts, counted(chapters, 'chapter')] : texts;
}

const counted = (count: number, name: string): string => `${count} ${name}${count === 1 ? '' : 's'}`;
