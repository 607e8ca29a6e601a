import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folders whose code determines the result of a cell. */
const ROOMS = ['protocol', 'sender', 'receiver', 'sim', 'lab'];

/** Folders of the laboratory that do not affect results. */
const UNRELATED = /^(report|validation|calibration|quality)[/\\]/;

let cached: string | undefined;

/**
 * Hash of the running code, so that results of other code are not reused. It is not part of any id: the same scenario
 * has the same id in every version.
 */
export function codeFingerprint(): string {
  if (cached !== undefined) return cached;
  const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
  const hash = createHash('sha256');
  for (const room of ROOMS) {
    const files = readdirSync(join(root, room), { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((name) => /(?<!\.d)\.[jt]s$/.test(name) && !UNRELATED.test(name)).sort()) {
      hash.update(`${room}/${file}\0`).update(readFileSync(join(root, room, file)));
    }
  }
  cached = hash.digest('hex').slice(0, 16);
  return cached;
}
