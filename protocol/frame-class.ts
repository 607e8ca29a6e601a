/** The classes in which a receiver enters a frame. Each frame ends in exactly one. */
export const FRAME_CLASSES = ['onTime', 'recovered', 'late', 'incomplete', 'neverArrived', 'undecodable'] as const;

export type FrameClass = (typeof FRAME_CLASSES)[number];
