import type { Ticks } from '../../protocol/base/units.ts';

/** An encoded picture, shared by all lanes that have received the same bytes. */
export interface StoredPicture {
  readonly timestamp: Ticks;
  readonly data: Uint8Array;
  uses: number;
}

/** Encoded pictures, each one once: lanes that lose nothing receive the same. */
export class PictureStore {
  readonly #pictures = new Map<number, StoredPicture[]>();
  /** Bytes of all pictures. */
  bytes = 0;

  /** Takes a picture, or returns the equal one that is there already. */
  add(timestamp: Ticks, data: Uint8Array): StoredPicture {
    const there = this.#pictures.get(timestamp) ?? [];
    const same = there.find((other) => areEqual(other.data, data));
    if (same) {
      same.uses++;
      return same;
    }
    const stored = { timestamp, data, uses: 1 };
    this.#pictures.set(timestamp, [...there, stored]);
    this.bytes += data.length;
    return stored;
  }

  /** Gives up one use of a picture. */
  release(picture: StoredPicture): void {
    if (--picture.uses > 0) return;
    const left = (this.#pictures.get(picture.timestamp) ?? []).filter((other) => other !== picture);
    if (left.length > 0) this.#pictures.set(picture.timestamp, left);
    else this.#pictures.delete(picture.timestamp);
    this.bytes -= picture.data.length;
  }
}

function areEqual(one: Uint8Array, other: Uint8Array): boolean {
  if (one === other) return true;
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
