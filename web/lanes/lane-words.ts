/** What the page says when there is nothing to see. */
export const UNABLE =
  'This browser cannot decode the stream. It takes WebCodecs with H.264, as in current Chrome, Edge, Safari and ' +
  'Firefox, on a page from 127.0.0.1.';
export const GONE = 'dropframe does not answer. This page goes on by itself when it is back.';
export const ENDED = 'The show is over. Start it again, and it appears here.';

/** `1:02.3`: minutes, seconds and tenths. */
export function clock(ms: number): string {
  const seconds = Math.floor(ms / 100) / 10;
  return `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, '0')}`;
}
