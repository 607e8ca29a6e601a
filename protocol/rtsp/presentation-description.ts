import type { Codec } from '../codec/codec.ts';
import { mediaLines, sessionName } from '../sdp.ts';
import { trackUri } from './rtsp-uri.ts';

/** A stream of a presentation. */
export interface PresentationTrack {
  readonly codec: Codec;
  /** 96 … 127. */
  readonly payloadType: number;
  /** Ticks per second. */
  readonly clockRate: number;
  readonly parameterSets: readonly Uint8Array[];
}

export interface PresentationDescriptionOptions {
  /** URI of the presentation, as the client wrote it. */
  readonly uri: string;
  /** Address of the server, as the client reaches it. */
  readonly host: string;
  readonly name: string;
  /** Identifies this description: another number for another stream. */
  readonly version: number;
  readonly tracks: readonly PresentationTrack[];
}

/**
 * Describes the tracks of a live presentation (RFC 2326 appendix C). Ports and addresses are 0, as SETUP names them; the
 * range says that there is no beginning to seek to (RFC 7826 §4.4.2).
 */
export function describePresentation(options: PresentationDescriptionOptions): string {
  const { uri, host, name, version, tracks } = options;
  const family = host.includes(':') ? 'IP6' : 'IP4';
  const lines = [
    'v=0',
    `o=- ${version} ${version} IN ${family} ${host}`,
    `s=${sessionName(name)}`,
    `c=IN ${family} ${family === 'IP6' ? '::' : '0.0.0.0'}`,
    't=0 0',
    'a=control:*',
    'a=range:npt=now-',
  ];
  tracks.forEach((track, index) => {
    lines.push(...mediaLines({ ...track, port: 0 }), `a=control:${trackUri(uri, index)}`);
  });
  return `${lines.join('\r\n')}\r\n`;
}
