/** States of the page, and what it calls them. */
export const STATES = {
  connecting: 'Connecting',
  live: 'Live',
  paused: 'Paused',
  gone: 'Reconnecting',
  ended: 'Ended',
  unable: 'Cannot play',
} as const;

/** Messages of the page for states without video. */
export const UNABLE =
  'This browser cannot decode the stream. WebCodecs with H.264 is required (current Chrome, Edge, Safari or Firefox), ' +
  'on a page from 127.0.0.1 or over HTTPS.';

/** Returns the message for a page without its server. @param command command that starts the server, if it is known. */
export function goneWords(ended: boolean, command = 'npm start'): string {
  const seen = ended ? 'The demo has ended.' : 'dropframe does not respond.';
  return `${seen} Start it with: ${command} – this page goes on by itself when it is back.`;
}

/** Formats milliseconds as minutes, seconds and tenths: `1:02.3`. */
export function clock(ms: number): string {
  const seconds = Math.floor(ms / 100) / 10;
  return `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, '0')}`;
}
