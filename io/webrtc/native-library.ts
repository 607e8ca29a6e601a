import { createRequire } from 'node:module';

/** Parts in use of the optional package node-datachannel, so that types need no package. */
export interface NativeLibrary {
  readonly PeerConnection: new (name: string, config: NativeConfig) => NativePeer;
  readonly Video: new (mid: string, direction: 'SendOnly') => NativeMedia;
  readonly Audio: new (mid: string, direction: 'SendOnly') => NativeMedia;
  readonly IceUdpMuxListener: new (port: number, address?: string) => NativeListener;
  initLogger(level: 'Fatal' | 'Error' | 'Warning', callback: (level: string, message: string) => void): void;
  cleanup(): void;
}

export interface NativeConfig {
  readonly iceServers: readonly string[];
  readonly bindAddress: string;
  readonly enableIceUdpMux: boolean;
  readonly portRangeBegin: number;
  readonly portRangeEnd: number;
  readonly disableAutoNegotiation: boolean;
  readonly forceMediaTransport: boolean;
}

export interface NativeMedia {
  addVideoCodec?(payloadType: number, codec: string): void;
  addAudioCodec?(payloadType: number, codec: string): void;
  addSSRC(ssrc: number, cname: string): void;
}

export interface NativeTrack {
  isOpen(): boolean;
  sendMessageBinary(packet: Buffer): boolean;
  onOpen(callback: () => void): void;
  onMessage(callback: (packet: Buffer) => void): void;
  close(): void;
}

export interface NativePeer {
  addTrack(media: NativeMedia): NativeTrack;
  setRemoteDescription(description: string, type: 'offer'): void;
  setLocalDescription(type: 'answer'): void;
  localDescription(): { readonly sdp: string } | null;
  onStateChange(callback: (state: string) => void): void;
  close(): void;
}

export interface NativeListener {
  stop(): void;
}

/** Version that is tested, as in package.json. */
export const NATIVE_PACKAGE = 'node-datachannel@0.33.4';

let loaded: NativeLibrary | undefined | null = null;

/** Loads the library; `undefined` where the package is not installed, or has no binary for this machine. */
export function nativeLibrary(): NativeLibrary | undefined {
  if (loaded === null) loaded = load();
  return loaded;
}

function load(): NativeLibrary | undefined {
  try {
    const library: NativeLibrary = createRequire(import.meta.url)('node-datachannel');
    // Without a callback it would write to the standard output.
    library.initLogger('Error', () => {});
    return library;
  } catch {
    return undefined;
  }
}
