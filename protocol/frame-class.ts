/** The classes in which a receiver enters a frame. Each frame ends in exactly one. */
export const FRAME_CLASSES = [
  'onTime',
  'recovered',
  'late',
  'incomplete',
  'neverArrived',
  'undecodable',
  'mended',
] as const;

export type FrameClass = (typeof FRAME_CLASSES)[number];

/** The classes of frames that a decoder is given: `late` ones are shown late, `mended` ones never. */
export type ReleasedFrameClass = 'onTime' | 'recovered' | 'late' | 'mended';
