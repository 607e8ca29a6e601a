import type { ObservedImportance } from '../codec.ts';
import { isWholeAggregate, nalUnitHeads } from '../nal/payload-heads.ts';
import {
  H265_NAL_UNIT_TYPE,
  h265NalUnitType,
  isRandomAccessPoint,
  isSliceSegment,
  isSubLayerNonReference,
  layerId,
  NAL_UNIT_HEADER_BYTES,
  temporalId,
} from './nal-unit.ts';
import { recoveryPictures } from './recovery-point.ts';
import { H265_PAYLOAD_STRUCTURE, H265_PAYLOAD_TYPE } from './rtp-payload.ts';
import { startsPicture } from './slice-header.ts';

/** True when a picture begins with this payload (H.265 §7.4.2.4.4), even if the packets before it are missing. */
export function beginsH265AccessUnit(payload: Uint8Array): boolean {
  const head = nalUnitHeads(payload, H265_PAYLOAD_STRUCTURE)[0];
  if (head === undefined || layerId(head) !== 0) return false;
  const type = h265NalUnitType(head);
  if (isSliceSegment(type)) return startsPicture(head);
  return (
    (type >= H265_NAL_UNIT_TYPE.videoParameterSet && type <= H265_NAL_UNIT_TYPE.accessUnitDelimiter) ||
    type === H265_NAL_UNIT_TYPE.prefixInformation
  );
}

/**
 * Determines the importance from the first slice segment. Payloads do not state the number of sub-layers, so only a
 * sub-layer non-reference picture of the lowest one counts as discardable: pictures of a higher sub-layer may refer to
 * one of a middle sub-layer.
 */
export function h265Importance(payloads: readonly Uint8Array[]): ObservedImportance {
  let recovers = false;
  for (const payload of payloads) {
    for (const head of nalUnitHeads(payload, H265_PAYLOAD_STRUCTURE)) {
      const type = h265NalUnitType(head);
      if (layerId(head) !== 0) continue;
      recovers ||= type === H265_NAL_UNIT_TYPE.prefixInformation && recoveryPictures(head) !== undefined;
      if (!isSliceSegment(type)) continue;
      if (isRandomAccessPoint(type)) return 'key';
      if (isSubLayerNonReference(type)) return temporalId(head) === 0 ? 'discardable' : 'reference';
      return recovers ? 'key' : 'reference';
    }
  }
  return 'discardable';
}

/** True when the bytes can be an H.265 payload. Payloads of other codecs usually begin differently. */
export function looksLikeH265(payload: Uint8Array): boolean {
  if (payload.length <= NAL_UNIT_HEADER_BYTES) return false;
  if ((payload[0]! & 0x80) !== 0 || layerId(payload) !== 0 || temporalId(payload) < 0) return false;
  const type = h265NalUnitType(payload);
  if (type === H265_PAYLOAD_TYPE.fragmentation) return isDefined(payload[2]! & 0x3f);
  if (type === H265_PAYLOAD_TYPE.aggregation) {
    return isWholeAggregate(payload, H265_PAYLOAD_STRUCTURE, (head) => isDefined(h265NalUnitType(head)));
  }
  return isDefined(type);
}

/** True for types defined by H.265 (Table 7-1). */
const isDefined = (type: number): boolean =>
  type <= H265_NAL_UNIT_TYPE.raslReference ||
  (type >= H265_NAL_UNIT_TYPE.blaWithLeading && type <= H265_NAL_UNIT_TYPE.cleanRandomAccess) ||
  (type >= H265_NAL_UNIT_TYPE.videoParameterSet && type <= H265_NAL_UNIT_TYPE.suffixInformation);
