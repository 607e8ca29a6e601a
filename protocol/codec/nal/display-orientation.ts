/** Rotation clockwise that a player applies, degrees. */
export type Rotation = 0 | 90 | 180 | 270;

/** payloadType of the message, and its length in bytes. */
const DISPLAY_ORIENTATION = 47;
const PAYLOAD_BYTES = 3;
const STOP_BYTE = 0x80;
const ROTATION_UNITS = 0x1_0000;

/**
 * Returns an SEI NAL unit with a display orientation message, which lasts until the next one (H.264 §D.1.27, H.265
 * §D.2.17). The rotation in it is anticlockwise, in units of 360° / 2¹⁶.
 *
 *     |0|hor_flip|ver_flip| anticlockwise_rotation (16) | persistence, up to the byte |
 *
 * @param header that of the NAL unit.
 * @param persistence last bits of the payload: repetition period 1 and no extension in H.264, a flag in H.265.
 */
export function displayOrientation(header: readonly number[], rotation: Rotation, persistence: number): Uint8Array {
  const anticlockwise = ((360 - rotation) % 360) * (ROTATION_UNITS / 360);
  const bits = anticlockwise * 0x20 + persistence;
  return Uint8Array.from([
    ...[...header, DISPLAY_ORIENTATION, PAYLOAD_BYTES],
    ...[(bits >> 16) & 0xff, (bits >> 8) & 0xff, bits & 0xff, STOP_BYTE],
  ]);
}
