/** Direction on a path: `forward` from sender to receiver, `back` from receiver to sender. */
export type Direction = 'forward' | 'back';

export const opposite = (direction: Direction): Direction => (direction === 'forward' ? 'back' : 'forward');
