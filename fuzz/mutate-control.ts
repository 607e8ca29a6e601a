import { CONTROL_HEADER_BYTES, serializeControlFrame } from '../protocol/control/control-framing.ts';
import type { Chance } from './chance.ts';
import { mutateBytes } from './mutate-bytes.ts';
import { mutateJson } from './mutate-text.ts';

/** Changes the JSON of a control message and re-frames it, or changes the frame. */
export function mutateControl(bytes: Uint8Array, chance: Chance): Uint8Array {
  if (chance.oneIn(4) || bytes.length <= CONTROL_HEADER_BYTES) return mutateBytes(bytes, chance);
  const body = mutateJson(bytes.subarray(CONTROL_HEADER_BYTES), chance);
  return body.length === 0 || body.length > 65_536 ? mutateBytes(bytes, chance) : serializeControlFrame(body);
}
