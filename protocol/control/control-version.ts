/**
 * Version of the control protocol. A peer of another major version is refused with a reason. A minor version only adds
 * fields, kinds and codecs, which older peers ignore or refuse one by one.
 */
export const CONTROL_MAJOR = 1;
export const CONTROL_MINOR = 3;

/**
 * The receiver states its minor version in the `userAgent` of its `hello`: 1.0 senders close the connection at unknown
 * fields, and this is their only field for free text.
 */
export const CONTROL_USER_AGENT = `dropframe control/${CONTROL_MAJOR}.${CONTROL_MINOR}`;

/** Returns the minor version in a user agent; 0 when there is none, as in release 0.1.0. */
export function minorVersionOf(userAgent: string | undefined): number {
  const named = /(?:^| )control\/1\.(\d{1,4})(?: |$)/.exec(userAgent ?? '');
  return named === null ? 0 : Number(named[1]);
}

/** First minor version whose receivers understand frame marks at the edges of frames only. */
const MINOR_MARKED_EDGES = 3;

/** Packets that carry a frame mark for a receiver with this user agent. */
export const frameMarksFor = (userAgent: string | undefined): 'edges' | true =>
  minorVersionOf(userAgent) >= MINOR_MARKED_EDGES ? 'edges' : true;
