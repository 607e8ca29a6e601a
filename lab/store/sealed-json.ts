import { createHash } from 'node:crypto';

/** JSON cannot represent infinity. */
const replace = (_name: string, value: unknown): unknown => (value === Number.POSITIVE_INFINITY ? 'inf' : value);
const revive = (_name: string, value: unknown): unknown => (value === 'inf' ? Number.POSITIVE_INFINITY : value);

export const sha256 = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex');

/** A line of JSON that detects damage: its first member is the SHA-256 of the other members as written. */
export function sealedJson(value: object): string {
  const text = JSON.stringify(value, replace);
  return `{"sha256":"${sha256(text)}",${text.slice(1)}\n`;
}

const SEALED = /^\{"sha256":"([0-9a-f]{64})",(.*)\n$/s;

/** @returns the sealed value; `undefined` when it was altered. */
export function readSealedJson<Value extends object>(text: string): Value | undefined {
  const match = SEALED.exec(text);
  if (!match) return undefined;
  const rest = `{${match[2]}`;
  return sha256(rest) === match[1] ? (JSON.parse(rest, revive) as Value) : undefined;
}
