/** Chance that a frame of so many packets comes through whole, independent losses. */
export const frameSuccess = (loss: number, packets: number): number => (1 - loss) ** packets;

/**
 * Share of frames that can be decoded where each refers to the one before and a key frame begins each group:
 * s_I·(1 − s^G)/((1 − s)·G).
 *
 * @param success chance that a frame is whole.
 * @param frames of a group.
 * @param keySuccess chance that its key frame is whole, where that has another size.
 */
export const decodableShare = (success: number, frames: number, keySuccess = success): number =>
  success === 1 ? keySuccess : (keySuccess * (1 - success ** frames)) / ((1 - success) * frames);
