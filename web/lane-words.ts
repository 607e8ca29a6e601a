/** What the page says when there is nothing to see. */
export const UNABLE =
  'This browser cannot decode the stream. It takes WebCodecs with H.264, as in current Chrome, Edge, Safari and ' +
  'Firefox, on a page from 127.0.0.1.';
export const GONE = 'dropframe does not answer. This page goes on by itself when it is back.';
export const ENDED = 'The show is over. Start it again, and it appears here.';
