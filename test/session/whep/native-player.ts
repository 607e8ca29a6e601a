import { createRequire } from 'node:module';
import { onTestFinished } from 'vitest';

/** Parts of node-datachannel that a player uses. */
interface PlayerLibrary {
  readonly PeerConnection: new (name: string, config: object) => PlayerConnection;
  readonly Video: new (
    mid: string,
    direction: 'RecvOnly',
  ) => { addH264Codec(payloadType: number, profile: string): void };
}

interface PlayerConnection {
  addTrack(media: object): {
    onMessage(callback: (packet: Buffer) => void): void;
    sendMessageBinary(packet: Buffer): boolean;
  };
  setLocalDescription(type: 'offer'): void;
  setRemoteDescription(sdp: string, type: 'answer'): void;
  localDescription(): { readonly sdp: string };
  close(): void;
}

/** Tracks of all players: the library crashes when one is collected. */
const tracks: unknown[] = [];

const PROFILE = 'level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f';

/** A player of WHEP that decodes nothing: it keeps the packets that come, RTP and RTCP. */
export async function nativePlayer(url: string) {
  const library: PlayerLibrary = createRequire(import.meta.url)('node-datachannel');
  const connection = new library.PeerConnection('player', {
    ...{ iceServers: [], bindAddress: '127.0.0.1', disableAutoNegotiation: true, forceMediaTransport: true },
  });
  onTestFinished(() => connection.close());
  const video = new library.Video('0', 'RecvOnly');
  video.addH264Codec(102, PROFILE);
  const track = connection.addTrack(video);
  tracks.push(track, connection);
  const packets: Uint8Array[] = [];
  track.onMessage((packet) => packets.push(Uint8Array.from(packet)));
  connection.setLocalDescription('offer');
  const body = connection.localDescription().sdp;
  const response = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body });
  const answer = await response.text();
  if (response.status === 201) connection.setRemoteDescription(answer, 'answer');
  const { status, headers } = response;
  return { status, answer, packets, session: new URL(headers.get('location') ?? '', url).href, connection };
}
