import { stderr } from 'node:process';
import type { Log } from '../os/log.ts';
import { hasColors } from '../os/terminal-colors.ts';
import type { PageInvitation } from './network-entrance.ts';

/** Light modules around a QR code (ISO/IEC 18004 §5.3.8 asks for four; cameras read two). */
const QUIET_MODULES = 2;

/** Prints how other devices open the page, with a QR code in a terminal with colors. */
export async function printInvitation({ urls, fingerprint }: PageInvitation, log: Log): Promise<void> {
  for (const url of urls) log.info(`from a phone or another computer on this network: ${url}`);
  log.info('anyone with this address can watch, change and stop what this page shows; the token ends with this run');
  log.info(selfMadeText(fingerprint));
  if (urls[0] !== undefined && hasColors(stderr)) log.drawing(await qrCode(urls[0]));
}

/** Explains the warning of browsers about a certificate of this program. @param fingerprint hexadecimal digits. */
export const selfMadeText = (fingerprint: string): string =>
  `browsers warn once, because the certificate is self-made; its SHA-256 fingerprint is ${inPairs(fingerprint)}`;

const inPairs = (digits: string): string => digits.toUpperCase().replaceAll(/..(?=.)/g, '$&:');

/** Draws a QR code in black on white, two modules in a character. */
export async function qrCode(text: string): Promise<string> {
  const { generate } = await import('lean-qr');
  const code = generate(text);
  const end = code.size + QUIET_MODULES;
  const lines: string[] = [];
  for (let y = -QUIET_MODULES; y < end; y += 2) {
    let line = '';
    for (let x = -QUIET_MODULES; x < end; x++) line += HALVES[code.get(x, y) ? 1 : 0]![code.get(x, y + 1) ? 1 : 0];
    lines.push(`\x1b[38;5;16;48;5;231m${line}\x1b[0m`);
  }
  return lines.join('\n');
}

/** Characters by the upper and the lower module; dark ones are drawn. */
const HALVES = [
  [' ', '▄'],
  ['▀', '█'],
] as const;
