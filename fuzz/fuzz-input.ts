import { readUint32, writeUint32 } from '../protocol/base/big-endian.ts';

/** One delivery of an input: bytes that arrive after a pause. */
export interface FuzzStep {
  /** Time since the step before, milliseconds. */
  readonly pause: number;
  readonly bytes: Uint8Array;
}

/** An input of a target: options packed into a number, and what arrives. A file or a text is one step. */
export interface FuzzInput {
  /** 32 bits that the target reads its options from. */
  readonly choices: number;
  readonly steps: readonly FuzzStep[];
}

/** Largest input kept or run, bytes as serialized. */
export const INPUT_BYTES_MAX = 256 * 1024;
const HEADER_BYTES = 4;
const STEP_HEADER_BYTES = 8;

export function inputBytes({ steps }: FuzzInput): number {
  let bytes = HEADER_BYTES;
  for (const step of steps) bytes += STEP_HEADER_BYTES + step.bytes.length;
  return bytes;
}

/** `choices`, then each step as its pause, its length and its bytes; all numbers have 32 bits. */
export function serializeInput(input: FuzzInput): Uint8Array {
  const bytes = new Uint8Array(inputBytes(input));
  writeInput(input, bytes);
  return bytes;
}

/** Writes it into memory of at least `inputBytes` bytes. */
export function writeInput(input: FuzzInput, bytes: Uint8Array): void {
  writeUint32(bytes, 0, input.choices >>> 0);
  let at = HEADER_BYTES;
  for (const step of input.steps) {
    writeUint32(bytes, at, step.pause);
    writeUint32(bytes, at + 4, step.bytes.length);
    bytes.set(step.bytes, at + STEP_HEADER_BYTES);
    at += STEP_HEADER_BYTES + step.bytes.length;
  }
}

/** Reads what `serializeInput` wrote. A cut last step keeps the bytes that are there. */
export function parseInput(bytes: Uint8Array): FuzzInput {
  const steps: FuzzStep[] = [];
  let at = HEADER_BYTES;
  while (at + STEP_HEADER_BYTES <= bytes.length) {
    const end = at + STEP_HEADER_BYTES + readUint32(bytes, at + 4);
    steps.push({ pause: readUint32(bytes, at), bytes: bytes.slice(at + STEP_HEADER_BYTES, end) });
    at = end;
  }
  return { choices: bytes.length < HEADER_BYTES ? 0 : readUint32(bytes, 0), steps };
}
