import type { Importance } from '../../access-unit.ts';
import { beginsAv1Frame, isShownKeyFrame, parseAv1FrameHeader } from './frame-header.ts';
import { type Av1SequenceHeader, parseAv1SequenceHeader } from './sequence-header.ts';

/**
 * Tells the importance of temporal units in stream order. It keeps the sequence header, which decides the form of frame
 * headers, and the slots with hidden key frames: showing one of these later refreshes all slots (AV1 specification §7.21).
 */
export class Av1ImportanceTracker {
  #sequence: Av1SequenceHeader | undefined;
  #keySlots = 0;

  importanceOf(obus: readonly Uint8Array[]): Importance {
    let [frames, isReference] = [0, false];
    for (const obu of obus) {
      this.#sequence = parseAv1SequenceHeader(obu) ?? this.#sequence;
      if (!beginsAv1Frame(obu)) continue;
      frames += 1;
      if (this.#refreshes(obu)) isReference = true;
    }
    if (isAv1Entry(obus)) return 'key';
    return isReference || frames === 0 ? 'reference' : 'discardable';
  }

  /** True when later frames may refer to this one, or nothing is known. */
  #refreshes(obu: Uint8Array): boolean {
    const header = this.#sequence && parseAv1FrameHeader(obu, this.#sequence);
    if (!header) return true;
    if (header.kind === 'coded') {
      // A key frame that was shown cannot be shown again.
      const isKept = header.isKey && !header.isShown;
      this.#keySlots = isKept ? this.#keySlots | header.refreshes : this.#keySlots & ~header.refreshes;
      return header.refreshes !== 0;
    }
    return ((this.#keySlots >> header.slot) & 1) === 1;
  }
}

/** True when decoding can start at this temporal unit, given its sequence header. */
export const isAv1Entry = (obus: readonly Uint8Array[]): boolean =>
  obus.some((obu) => isShownKeyFrame(obu) || parseAv1SequenceHeader(obu)?.isReducedStillPicture === true);
