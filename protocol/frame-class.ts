/** Classes by which a receiver counts frames. Each frame is counted in exactly one. */
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

/** Classes of the frames that a decoder gets: `late` frames are shown late, `mended` ones never. */
export type ReleasedFrameClass = 'onTime' | 'recovered' | 'late' | 'mended';
