import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The rooms whose code decides what comes of a cell. */
const ROOMS = ['protocol', 'sender', 'receiver', 'sim', 'lab'];

/** Folders of the laboratory that have no say in it. */
const BYSTANDERS = /^(report|validation|calibration|quality)[/\\]/;

let known: string | undefined;

/**
 * A hash of the code that runs, so that what was computed by other code is not taken for this one's. It is not part of
 * any name: the same question has the same name whoever answers it.
 */
export function codeFingerprint(): string {
  if (known !== undefined) return known;
  const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
  const hash = createHash('sha256');
  for (const room of ROOMS) {
    const files = readdirSync(join(root, room), { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((name) => /(?<!\.d)\.[jt]s$/.test(name) && !BYSTANDERS.test(name)).sort()) {
      hash.update(`${room}/${file}\0`).update(readFileSync(join(root, room, file)));
    }
  }
  known = hash.digest('hex').slice(0, 16);
  return known;
}
