import type { Destination } from '../../io/net/socket-address.ts';
import type { CodecName } from '../../protocol/codec/codecs.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import type { DescribedSound } from './rtp-sound.ts';

export interface RtpClientOptions {
  /** Name given by the user: a URL or an SDP file. */
  readonly name: string;
  /** Address of this machine to which the stream is sent. */
  readonly host: string;
  readonly port: number;
  /** Payload type; `undefined`: the first dynamic one received. */
  readonly payloadType: number | undefined;
  /** Codec of the stream. */
  readonly codecName: CodecName;
  /** Parameter sets known in advance. */
  readonly parameterSets: readonly Uint8Array[];
  readonly latencyMs: number;
  /** `nack`: request missing packets, if the sender retransmits (RFC 4588). */
  readonly recovery: 'none' | 'reorder' | 'nack';
  /** Time after its deadline for which a missing reference frame is still requested, milliseconds; 5,000 by default. */
  readonly mendMs?: number;
  /** Port of RTCP; the next one by default, the same for both on one port (RFC 5761). */
  readonly rtcpPort?: number;
  /** Address for reports and requests; by default the one from which the sender's come. */
  readonly reportTo?: Destination | undefined;
  /** True when the sender takes requests for a key frame; by default it is asked. */
  readonly keyFrames?: boolean;
  /** Payload type of retransmissions; learned by default. */
  readonly retransmissionPayloadType?: number | undefined;
  /** When a complete frame is released: at its deadline, or as soon as it can be decoded. */
  readonly release: 'deadline' | 'asap';
  readonly onLoss: 'freeze' | 'smear';
  /** Impairment of the path, in both directions. */
  readonly link: LinkSpecification | undefined;
  /** Sound beside the pictures; `undefined`: none. */
  readonly sound?: DescribedSound | undefined;
  /** Time without a picture that ends the run, milliseconds. */
  readonly timeoutMs: number;
}
