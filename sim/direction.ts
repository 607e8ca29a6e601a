/** Direction of travel over a path: `forward` from the sender to the receiver, `back` from the receiver to the sender. */
export type Direction = 'forward' | 'back';
