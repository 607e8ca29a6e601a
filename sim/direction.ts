/** Direction on a path: `forward` from sender to receiver, `back` from receiver to sender. */
export type Direction = 'forward' | 'back';
