/**
 * Samples of the site, in the order in which the page lists them; the first is shown at first. Each is a file of samples/, and
 * a raw stream of the same pictures in the site, which needs no reader of containers, and one of its sound.
 */
export const SITE_SAMPLES: readonly { readonly name: string; readonly stream: string; readonly sound?: string }[] = [
  { name: 'city.mp4', stream: 'city.h264', sound: 'city.aac' },
  { name: 'counter.h264', stream: 'counter.h264' },
];
