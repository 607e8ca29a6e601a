import type { CompanionStream } from './stream-parameters.ts';

/** Feedback that a sender accepts for a stream, in a session description with the profile AVPF (RFC 4585 §4). */
export interface StreamFeedback {
  /** True for `a=rtcp-fb nack`: requests for packets (RFC 4585 §6.2.1). */
  readonly nack: boolean;
  /** True for `a=rtcp-fb nack pli`: requests for a key frame (RFC 4585 §6.3.1). */
  readonly pictureLoss: boolean;
  /** True for `a=rtcp-fb ccm fir`: commands for a key frame (RFC 5104 §7.1). */
  readonly fullIntra: boolean;
}

/** Retransmission stream of a described stream (RFC 4588 §8.6). */
export interface DescribedRetransmission extends Pick<CompanionStream, 'payloadType'> {
  /** SSRC by `a=ssrc-group:FID` (RFC 5576 §4.2); `undefined` when it is learned from the first packet. */
  readonly ssrc?: number | undefined;
}

export const NO_FEEDBACK: StreamFeedback = { nack: false, pictureLoss: false, fullIntra: false };

/** Returns the lines for a stream with feedback: `a=rtcp-fb`, and those of its retransmissions. */
export function feedbackLines(stream: {
  readonly payloadType: number;
  readonly clockRate: number;
  readonly ssrc?: number | undefined;
  readonly feedback: StreamFeedback;
  readonly retransmission?: DescribedRetransmission | undefined;
  /** Time for which packets are kept, milliseconds: `rtx-time`. */
  readonly keptMs?: number | undefined;
}): string[] {
  const { payloadType, clockRate, ssrc, feedback, retransmission, keptMs } = stream;
  const lines: string[] = [];
  if (feedback.nack) lines.push(`a=rtcp-fb:${payloadType} nack`);
  if (feedback.pictureLoss) lines.push(`a=rtcp-fb:${payloadType} nack pli`);
  if (feedback.fullIntra) lines.push(`a=rtcp-fb:${payloadType} ccm fir`);
  if (retransmission === undefined) return lines;
  const time = keptMs === undefined ? '' : `;rtx-time=${keptMs}`;
  lines.push(
    `a=rtpmap:${retransmission.payloadType} rtx/${clockRate}`,
    `a=fmtp:${retransmission.payloadType} apt=${payloadType}${time}`,
  );
  if (ssrc !== undefined && retransmission.ssrc !== undefined) {
    lines.push(`a=ssrc-group:FID ${ssrc} ${retransmission.ssrc}`);
  }
  return lines;
}

/** Reads `a=rtcp-fb` of a payload type, or of all (`*`), from the lines of a medium. */
export function feedbackIn(section: readonly string[], payloadType: number): StreamFeedback {
  const wanted = new Set<string>();
  for (const line of section) {
    const found = /^a=rtcp-fb:(\*|\d{1,3}) (nack|ccm)(?: ([\w-]+))?(?: .*)?$/i.exec(line);
    if (found === null || (found[1] !== '*' && Number(found[1]) !== payloadType)) continue;
    wanted.add(`${found[2]} ${found[3] ?? ''}`.toLowerCase());
  }
  return { nack: wanted.has('nack '), pictureLoss: wanted.has('nack pli'), fullIntra: wanted.has('ccm fir') };
}

/** Reads the retransmission stream of a payload type from the lines of a medium; `undefined` when there is none. */
export function retransmissionIn(
  section: readonly string[],
  payloadTypes: readonly string[],
  payloadType: number,
): DescribedRetransmission | undefined {
  const seen = new Set<string>();
  for (const line of section) {
    const map = /^a=rtpmap:(\d{1,3}) rtx\/\d{1,9}$/i.exec(line);
    if (map === null || !payloadTypes.includes(map[1]!) || Number(map[1]) > 127 || seen.has(map[1]!)) continue;
    seen.add(map[1]!);
    const parameters = new RegExp(`^a=fmtp:${map[1]} (?:.*;)?\\s*apt=(\\d{1,3})\\s*(?:;.*)?$`, 'i');
    const original = section.map((other) => parameters.exec(other)?.[1]).find((found) => found !== undefined);
    if (original !== undefined && Number(original) === payloadType) {
      const ssrc = groupedSsrcs(section)?.[1];
      return { payloadType: Number(map[1]), ...(ssrc !== undefined && { ssrc }) };
    }
  }
  return undefined;
}

/** SSRC of the media and that of its retransmissions, if `a=ssrc-group:FID` gives them. */
export function groupedSsrcs(section: readonly string[]): readonly [number, number] | undefined {
  for (const line of section) {
    const group = /^a=ssrc-group:FID (\d{1,10}) (\d{1,10})$/.exec(line);
    if (group === null) continue;
    const [media, again] = [Number(group[1]), Number(group[2])];
    if (media <= 0xffff_ffff && again <= 0xffff_ffff && media !== again) return [media, again];
  }
  return undefined;
}
