import { readableLink } from '../lanes/link-words.ts';
import type { Recording } from './recording.ts';
import { writeRecording } from './recording-text.ts';

/** Script and styles of a shared page. */
export interface SharedPageParts {
  /** The replay as one module without imports. */
  readonly script: string;
  readonly styles: readonly string[];
}

/** A shared page asks no one for anything. */
const POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:";

/** Ids of the elements that have the recording inside. */
export const RECORD_ID = 'recorded-run';
export const MEDIA_ID = 'recorded-media';

/** Returns a page with a recording in it, in parts: it needs nothing else, and opens from a disk. */
export async function sharedPage(
  recording: Recording,
  { script, styles }: SharedPageParts,
  madeAt: Date,
): Promise<readonly string[]> {
  const { state } = recording.record;
  const text = await writeRecording(recording);
  const lanes = state.lanes.length;
  const title = `${lanes} ${lanes === 1 ? 'lane' : 'lanes'} over ${readableLink(state.link)}`;
  return [
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">',
    `<title>${escaped(title)} · dropframe</title>`,
    ...styles.map((style) => `<style>${style.replaceAll('</', '<\\/')}</style>`),
    `</head><body class="shared"><header id="shared-head"><h1>dropframe</h1><p class="about">A recorded run of ${madeAt.toISOString().slice(0, 16).replace('T', ' ')} UTC: the same video over the same bad network, sent in different ways at the same time. Press Play, slow it down, drag the time.</p><h2 class="visually-hidden">${escaped(title)}</h2></header>`,
    '<main id="replay"><p>This page needs JavaScript to show the recording.</p></main>',
    `<script type="text/plain" id="${RECORD_ID}">${text.record}</script>`,
    `<script type="text/plain" id="${MEDIA_ID}">`,
    text.media,
    `</script><script type="module">${inScript(script)}</script></body></html>\n`,
  ];
}

/** A script inside a page ends at the first end tag, also in a text of its own. */
const inScript = (script: string): string => script.replaceAll('</script', '<\\/script').replaceAll('<!--', '<\\!--');

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (mark) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[mark] ?? mark);
