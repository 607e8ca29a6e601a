import type { ObservedImportance } from '../codec.ts';
import { isWholeAggregate, nalUnitHeads } from '../nal/payload-heads.ts';
import { NAL_UNIT_TYPE, nalReferenceIdc, nalUnitType } from './nal-unit.ts';
import { PAYLOAD_TYPE } from './payload-type.ts';
import { recoveryFrames } from './recovery-point.ts';
import { PAYLOAD_STRUCTURE } from './rtp-payload.ts';
import { parseSliceStart, SLICE_TYPE } from './slice-header.ts';

/** True when a picture begins with this payload (H.264 §7.4.1.2.3), even if the packets before it are missing. */
export function beginsAccessUnit(payload: Uint8Array): boolean {
  const head = nalUnitHeads(payload, PAYLOAD_STRUCTURE)[0];
  if (head === undefined) return false;
  switch (nalUnitType(head)) {
    case NAL_UNIT_TYPE.supplementalEnhancement:
    case NAL_UNIT_TYPE.sequenceParameterSet:
    case NAL_UNIT_TYPE.pictureParameterSet:
    case NAL_UNIT_TYPE.accessUnitDelimiter:
    case NAL_UNIT_TYPE.prefix:
    case NAL_UNIT_TYPE.subsetSequenceParameterSet:
      return true;
    case NAL_UNIT_TYPE.slice:
    case NAL_UNIT_TYPE.partitionA:
    case NAL_UNIT_TYPE.idrSlice:
      return parseSliceStart(head)?.firstMacroblock === 0;
    default:
      return false;
  }
}

/** Determines the importance from the first bytes of the NAL units, by the rules of `AccessUnitSplitter`. */
export function payloadsImportance(payloads: readonly Uint8Array[]): ObservedImportance {
  let reference = false;
  let recovers = false;
  let announced = false;
  let slices = 0;
  let intraSlices = 0;
  for (const payload of payloads) {
    for (const head of nalUnitHeads(payload, PAYLOAD_STRUCTURE)) {
      const type = nalUnitType(head);
      if (type === NAL_UNIT_TYPE.idrSlice) return 'key';
      // Encoders that repeat parameter sets do so at random access points.
      if (type === NAL_UNIT_TYPE.sequenceParameterSet) recovers = true;
      announced ||= type === NAL_UNIT_TYPE.supplementalEnhancement && recoveryFrames(head) !== undefined;
      if (type < NAL_UNIT_TYPE.slice || type > NAL_UNIT_TYPE.partitionC) continue;
      reference ||= nalReferenceIdc(head) !== 0;
      const sliceType = type > NAL_UNIT_TYPE.partitionA ? undefined : parseSliceStart(head)?.sliceType;
      slices++;
      if (sliceType === SLICE_TYPE.I || sliceType === SLICE_TYPE.SI) intraSlices++;
    }
  }
  if (slices > 0 && announced && reference) return 'key';
  if (slices > 0 && slices === intraSlices) return recovers || announced ? 'key' : reference ? 'intra' : 'discardable';
  return reference ? 'reference' : 'discardable';
}

/** True when the bytes can be an H.264 payload. Payloads of other codecs usually begin differently. */
export function looksLikeH264(payload: Uint8Array): boolean {
  if (payload.length < 2 || (payload[0]! & 0x80) !== 0) return false;
  const type = nalUnitType(payload);
  if (type === PAYLOAD_TYPE.fuA) return (payload[1]! & 0x20) === 0 && isDefined(payload[1]! & 0x1f);
  if (type === PAYLOAD_TYPE.stapA) {
    return isWholeAggregate(payload, PAYLOAD_STRUCTURE, (head) => isDefined(nalUnitType(head)));
  }
  return isDefined(type);
}

/** True for types defined by H.264 (Table 7-1). */
const isDefined = (type: number): boolean =>
  (type >= NAL_UNIT_TYPE.slice && type <= NAL_UNIT_TYPE.subsetSequenceParameterSet) ||
  type === NAL_UNIT_TYPE.auxiliarySlice ||
  type === NAL_UNIT_TYPE.sliceExtension;
