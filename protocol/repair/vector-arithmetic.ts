import { assert } from '../base/assert.ts';

/** The part of WebAssembly in use here, which the core's library does not declare. */
interface WebAssemblyLike {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
  ) => {
    readonly exports: {
      readonly memory: { readonly buffer: ArrayBuffer };
      readonly addScaled: (target: number, source: number, bytes: number, table: number) => void;
    };
  };
}

/** Adds a symbol times a coefficient to another symbol; the symbols have at most `WORDS_MAX` words. */
export type AddScaled = (target: Int32Array, source: Int32Array, coefficient: number) => void;

/** Longest symbol: that of a packet of 16 kB, longer than any Ethernet frame. */
export const WORDS_MAX = 4_096;
const SYMBOL_BYTES = WORDS_MAX * 4;

/** Bytes of a vector. */
const VECTOR = 16;
/** For each coefficient: its products with the 16 low halves of a byte, and with the 16 high halves. */
const TABLE_BYTES = 2 * VECTOR;
const TABLES_BYTES = 256 * TABLE_BYTES;
const TARGET = TABLES_BYTES;
const SOURCE = TARGET + SYMBOL_BYTES;
/** The memory is one page. */
const MEMORY_BYTES = 65_536;

/**
 * Returns `addScaled` for vectors of 16 bytes, or `undefined` where WebAssembly or its vector instructions are missing or
 * forbidden.
 *
 * A product in GF(2^8) is the sum of the products of the byte's halves, and a table of 16 products fits into a vector, from
 * which one instruction takes 16 entries (Plank, Greenan and Miller, "Screaming Fast Galois Field Arithmetic Using Intel
 * SIMD Instructions", FAST 2013).
 */
export function vectorArithmetic(multiply: (left: number, right: number) => number): AddScaled | undefined {
  const { WebAssembly } = globalThis as { readonly WebAssembly?: WebAssemblyLike };
  if (!WebAssembly) return undefined;
  let exports: InstanceType<WebAssemblyLike['Instance']>['exports'];
  try {
    exports = new WebAssembly.Instance(new WebAssembly.Module(PROGRAM)).exports;
  } catch {
    return undefined;
  }
  const { memory, addScaled } = exports;
  assert(SOURCE + SYMBOL_BYTES <= MEMORY_BYTES, 'tables and symbols must fit into the memory');
  const tables = new Uint8Array(memory.buffer, 0, TABLES_BYTES);
  for (let coefficient = 0; coefficient < 256; coefficient++) {
    for (let half = 0; half < 16; half++) {
      tables[coefficient * TABLE_BYTES + half] = multiply(coefficient, half);
      tables[coefficient * TABLE_BYTES + VECTOR + half] = multiply(coefficient, half << 4);
    }
  }
  const sum = new Int32Array(memory.buffer, TARGET, WORDS_MAX);
  const scaled = new Int32Array(memory.buffer, SOURCE, WORDS_MAX);
  return (target, source, coefficient) => {
    const { length } = source;
    scaled.set(source);
    sum.set(target.length === length ? target : target.subarray(0, length));
    // Whole vectors; what is behind the symbols in the memory is not read back.
    addScaled(TARGET, SOURCE, (length * 4 + VECTOR - 1) & -VECTOR, coefficient * TABLE_BYTES);
    target.set(sum.subarray(0, length));
  };
}

const sized = (bytes: readonly number[]): number[] => [bytes.length, ...bytes];
const section = (id: number, content: readonly number[]): number[] => [id, ...sized(content)];
const name = (text: string): number[] => sized([...text].map((character) => character.charCodeAt(0)));

const I32 = 0x7f;
const V128 = 0x7b;
const [TARGET_LOCAL, SOURCE_LOCAL, END_LOCAL, TABLE_LOCAL, LOW_LOCAL, HIGH_LOCAL, VECTOR_LOCAL] = [0, 1, 2, 3, 4, 5, 6];
const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const tee = (local: number): number[] => [0x22, local];
const constant = (value: number): number[] => [0x41, value];
const ADD = 0x6a;
/** Vector instructions have a prefix; an address in memory is aligned to 2^4 bytes. */
const load = (offset: number): number[] => [0xfd, 0x00, 4, offset];
const STORE = [0xfd, 0x0b, 4, 0];
const SWIZZLE = [0xfd, 0x0e];
const SPLAT = [0xfd, 0x0f];
const AND = [0xfd, 0x4e];
const XOR = [0xfd, 0x51];
const SHIFT_RIGHT = [0xfd, 0x6d];

/** `addScaled(target, source, bytes, table)`: `bytes` is a multiple of 16 above 0; the others are places in memory. */
const BODY = [
  ...[1, 3, V128],
  ...[...get(TABLE_LOCAL), ...load(0), ...set(LOW_LOCAL)],
  ...[...get(TABLE_LOCAL), ...load(VECTOR), ...set(HIGH_LOCAL)],
  ...[...get(SOURCE_LOCAL), ...get(END_LOCAL), ADD, ...set(END_LOCAL)],
  ...[0x03, 0x40], // loop
  ...get(TARGET_LOCAL),
  ...[...get(TARGET_LOCAL), ...load(0)],
  // The products of the low halves …
  ...[...get(LOW_LOCAL), ...get(SOURCE_LOCAL), ...load(0), ...tee(VECTOR_LOCAL)],
  ...[...constant(0x0f), ...SPLAT, ...AND, ...SWIZZLE, ...XOR],
  // … and of the high ones.
  ...[...get(HIGH_LOCAL), ...get(VECTOR_LOCAL), ...constant(4), ...SHIFT_RIGHT, ...SWIZZLE, ...XOR],
  ...STORE,
  ...[...get(TARGET_LOCAL), ...constant(VECTOR), ADD, ...set(TARGET_LOCAL)],
  ...[...get(SOURCE_LOCAL), ...constant(VECTOR), ADD, ...tee(SOURCE_LOCAL)],
  ...[...get(END_LOCAL), 0x49, 0x0d, 0], // again while source < end
  ...[0x0b, 0x0b],
];

/** The module, in WebAssembly's binary format: https://webassembly.github.io/spec/core/binary/ */
const PROGRAM = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
  ...section(1, [1, 0x60, 4, I32, I32, I32, I32, 0]),
  ...section(3, [1, 0]),
  ...section(5, [1, 0, 1]),
  ...section(7, [2, ...name('memory'), 2, 0, ...name('addScaled'), 0, 0]),
  ...section(10, [1, ...sized(BODY)]),
]);
