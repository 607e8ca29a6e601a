export const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

/** OBUs without sizes, as SVT-AV1 makes them: 64 × 64 at 25 frames per second. Of frames only the beginning. */
export const SEQUENCE = hex('0800000002afff9f7f3008');
export const KEY = hex('301400b18090dd446fc9880615a261f5b7a6e4e10cc277d2');
/** Hidden frame that refreshes slot 0. */
export const HIDDEN = hex('302908001249248edd020c3061823ef00600dcbe5b6fa3e8');
/** Shown frame that refreshes slot 7. */
export const SHOWN = hex('303201900492db15f00000010000060084');
/** Shows slot 6. */
export const EXISTING = hex('18e8');
/** Shown frame that refreshes no slot. */
export const UNREFERENCED = hex('303203000db6b695f000000100000600c04fc7f0');
