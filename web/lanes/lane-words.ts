/** Messages of the page for states without video. */
export const UNABLE =
  'This browser cannot decode the stream. WebCodecs with H.264 is required (current Chrome, Edge, Safari or Firefox), ' +
  'on a page from 127.0.0.1.';
export const GONE = 'dropframe does not respond. This page reconnects when it is back.';
export const ENDED = 'The demo has ended. This page reconnects when it is started again.';

/** Formats milliseconds as minutes, seconds and tenths: `1:02.3`. */
export function clock(ms: number): string {
  const seconds = Math.floor(ms / 100) / 10;
  return `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, '0')}`;
}
