/** An invariant of ours. A failure is our own mistake and ends the program; bytes from others never reach this. */
export function assert(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${reason}`);
}
