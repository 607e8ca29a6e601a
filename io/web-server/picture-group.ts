import type { Importance } from '../../protocol/access-unit.ts';
import { asDecodeOnly } from '../../protocol/page/picture-bytes.ts';

/** A picture message as it was sent. */
interface KeptPicture {
  readonly importance: Importance;
  readonly message: Uint8Array;
}

/**
 * Limit of a kept group, bytes: a window that joins gets all of it at once. Beyond it, the window waits for the next key
 * frame.
 */
const GROUP_BYTES_MAX = 2_000_000;
/** Limit of a kept group, pictures: the decoder queue of a page. */
const GROUP_PICTURES_MAX = 500;

/** Pictures since the last key frame, for windows that join: with key frames many seconds apart, or a single one. */
export class PictureGroup {
  #pictures: KeptPicture[] = [];
  #bytes = 0;

  keep(importance: Importance, message: Uint8Array): void {
    if (importance === 'key') this.clear();
    else if (this.#pictures.length === 0) return;
    if (this.#bytes + message.length > GROUP_BYTES_MAX || this.#pictures.length >= GROUP_PICTURES_MAX) {
      return this.clear();
    }
    this.#pictures.push({ importance, message });
    this.#bytes += message.length;
  }

  /** Returns the group for a window that joins: only its newest picture is shown. */
  forJoining(): readonly KeptPicture[] {
    const newest = this.#pictures.length - 1;
    return this.#pictures.map(({ importance, message }, index) => {
      return { importance, message: index === newest ? message : asDecodeOnly(message) };
    });
  }

  clear(): void {
    this.#pictures = [];
    this.#bytes = 0;
  }
}
