import { accessSync, constants } from 'node:fs';

/** Debian's. */
export const CHROMIUM = '/usr/bin/chromium';

/** As root, without a GPU, and speaking to nobody but us. */
export const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const HAS_CHROMIUM = (() => {
  try {
    accessSync(CHROMIUM, constants.X_OK);
    return true;
  } catch {
    return false;
  }
})();
