import { createHash, timingSafeEqual } from 'node:crypto';

/** A secret that requests must bring, compared in constant time. */
export class SecretToken {
  readonly #digest: Buffer;

  constructor(text: string) {
    this.#digest = digest(text);
  }

  matches(given: string): boolean {
    return timingSafeEqual(digest(given), this.#digest);
  }
}

/** True when both texts are the same. The time tells nothing of where they differ, nor how long the own one is. */
export const equalSecrets = (given: string, own: string): boolean => timingSafeEqual(digest(given), digest(own));

/** Texts of any length become comparable, and their lengths remain unknown. */
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
