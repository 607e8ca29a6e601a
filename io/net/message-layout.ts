/** Architectures of 64 bits, little-endian, on which Linux has the structures below. */
export const MESSAGE_ARCHITECTURES: ReadonlySet<string> = new Set(['x64', 'arm64', 'riscv64', 'loong64']);
/** Sizes of struct mmsghdr and struct iovec. */
export const MESSAGE_BYTES = 64;
export const VECTOR_BYTES = 16;
/** Size of struct cmsghdr: length, level, type. */
export const ANCILLARY_HEADER_BYTES = 16;

/** Offsets in struct mmsghdr: that of the length of the name, and those that the kernel changes. */
export const NAME_LENGTH_AT = 8;
export const CONTROL_LENGTH_AT = 40;
export const FLAGS_AT = 48;
export const LENGTH_AT = 56;

/** Addresses of the parts of a message; 0n: it has none. */
export interface MessageParts {
  /** Socket address of the other end. */
  readonly name: bigint;
  /** Vector of the bytes. */
  readonly vector: bigint;
  readonly control: bigint;
}

/** Writes the addresses in the struct mmsghdr at `offset`, which has one vector. */
export function writeMessage(view: DataView, offset: number, { name, vector, control }: MessageParts): void {
  view.setBigUint64(offset, name, true);
  view.setBigUint64(offset + 16, vector, true);
  view.setBigUint64(offset + 24, 1n, true);
  view.setBigUint64(offset + 32, control, true);
}

/** Writes a struct iovec at `offset`. */
export function writeVector(view: DataView, offset: number, base: bigint, bytes: number): void {
  view.setBigUint64(offset, base, true);
  view.setBigUint64(offset + 8, BigInt(bytes), true);
}
