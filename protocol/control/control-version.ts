/**
 * Version of the control protocol. A peer of another major version is refused in words; a minor version only adds
 * fields, kinds and codecs, which a peer of an older one ignores or refuses one by one.
 */
export const CONTROL_MAJOR = 1;
export const CONTROL_MINOR = 1;

/**
 * The receiver's minor version stands in the `userAgent` of its `hello`: 1.0 senders close the connection at any field
 * that they do not know, and this is the one field of theirs that takes any text.
 */
export const CONTROL_USER_AGENT = `dropframe control/${CONTROL_MAJOR}.${CONTROL_MINOR}`;

/** The minor version that a user agent names; 0 when it names none, as in release 0.1.0. */
export function minorVersionOf(userAgent: string | undefined): number {
  const named = /(?:^| )control\/1\.(\d{1,4})(?: |$)/.exec(userAgent ?? '');
  return named === null ? 0 : Number(named[1]);
}
