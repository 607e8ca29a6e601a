import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type FuzzInput, inputBytes, parseInput, serializeInput } from './fuzz-input.ts';
import { ROOT } from './sample-files.ts';

const CORPUS = join(ROOT, 'fuzz', 'corpus');
const KEPT_FINDINGS = join(ROOT, 'fuzz', 'findings');
export const FINDINGS = join(ROOT, 'out', 'fuzz');
/** Bytes kept of each target: 20 targets stay below 2 MB. */
const CORPUS_BYTES_MAX = 90_000;
const LENGTH_BYTES = 4;

/** Reads the inputs that earlier campaigns kept. */
export function readCorpus(target: string): FuzzInput[] {
  const path = join(CORPUS, `${target}.bin`);
  if (!existsSync(path)) return [];
  const file = readFileSync(path);
  const inputs: FuzzInput[] = [];
  for (let at = 0; at + LENGTH_BYTES <= file.length; ) {
    const end = at + LENGTH_BYTES + file.readUInt32BE(at);
    inputs.push(parseInput(Uint8Array.from(file.subarray(at + LENGTH_BYTES, end))));
    at = end;
  }
  return inputs;
}

/** Keeps the shortest inputs that fit. */
export function writeCorpus(target: string, inputs: readonly FuzzInput[]): void {
  mkdirSync(CORPUS, { recursive: true });
  const kept: Buffer[] = [];
  let bytes = 0;
  for (const input of inputs.toSorted((a, b) => inputBytes(a) - inputBytes(b))) {
    const body = serializeInput(input);
    bytes += LENGTH_BYTES + body.length;
    if (bytes > CORPUS_BYTES_MAX) break;
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32BE(body.length);
    kept.push(length, Buffer.from(body));
  }
  writeFileSync(join(CORPUS, `${target}.bin`), Buffer.concat(kept));
}

/** Inputs that once failed, with the name of their target: each has to pass for ever. */
export function readKeptFindings(): { readonly file: string; readonly target: string; readonly input: FuzzInput }[] {
  if (!existsSync(KEPT_FINDINGS)) return [];
  return readdirSync(KEPT_FINDINGS)
    .filter((file) => file.endsWith('.bin'))
    .map((file) => ({ file, ...readFinding(join(KEPT_FINDINGS, file)) }));
}

/** Reads a file TARGET-HASH.bin. */
export function readFinding(path: string): { readonly target: string; readonly input: FuzzInput } {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return { target: name.replace(/-[0-9a-f]+\.bin$/, ''), input: parseInput(Uint8Array.from(readFileSync(path))) };
}

/** Writes an input that failed; returns its path. */
export function writeFinding(target: string, input: Uint8Array): string {
  mkdirSync(FINDINGS, { recursive: true });
  const path = join(FINDINGS, `${target}-${createHash('sha256').update(input).digest('hex').slice(0, 10)}.bin`);
  writeFileSync(path, input);
  return path;
}
