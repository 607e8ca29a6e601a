import { constants } from 'node:os';

/**
 * The part of `node-av` (FFmpeg's libraries as a Node module) that this project uses. The package is optional: it is
 * loaded on use, and described here so that everything compiles without it. Functions return 0 or an FFmpeg error code,
 * below 0 (libavutil/error.h). Times are in the time base of the object.
 */
export interface AvLibrary {
  readonly FormatContext: new () => AvFormatContext;
  readonly CodecContext: new () => AvCodecContext;
  readonly Packet: new () => AvPacket;
  readonly Frame: new () => AvFrame;
  readonly Dictionary: new () => AvDictionary;
  readonly Rational: new (num: number, den: number) => AvRational;
  readonly FilterGraph: new () => AvFilterGraph;
  readonly FFmpegError: new (code: number) => Error;
  readonly Codec: {
    findDecoder(id: number): AvCodec | null;
    findEncoderByName(name: string): AvCodec | null;
  };
  readonly Filter: { getByName(name: string): object | null };
  readonly InputFormat: { findInputFormat(name: string): object | null };
  readonly Log: { setLevel(level: number): void };
}

export interface AvRational {
  readonly num: number;
  readonly den: number;
}

/** An opaque codec. */
export type AvCodec = object;

export interface AvDictionary {
  set(key: string, value: string, flags: number): void;
}

export interface AvPacket {
  readonly size: number;
  data: Uint8Array | null;
  readonly pts: bigint;
  readonly isKeyframe: boolean;
  readonly streamIndex: number;
  alloc(): void;
  unref(): void;
}

export interface AvFrame {
  readonly width: number;
  readonly height: number;
  readonly format: number;
  readonly bestEffortTimestamp: bigint;
  readonly colorRange: number;
  readonly colorPrimaries: number;
  readonly colorTrc: number;
  readonly colorSpace: number;
  readonly sampleAspectRatio: AvRational;
  /** Planes, copied on each access, and the bytes of their rows. */
  readonly data: readonly Uint8Array[] | null;
  readonly linesize: readonly number[];
  pts: bigint;
  pictType: number;
  alloc(): void;
  unref(): void;
  free(): void;
  ref(source: AvFrame): number;
}

export interface AvCodecParameters {
  readonly codecType: number;
  readonly codecId: number;
  readonly width: number;
  readonly height: number;
  getCodedSideData(type: number): Uint8Array | null;
}

export interface AvStream {
  readonly index: number;
  readonly codecpar: AvCodecParameters;
  readonly timeBase: AvRational;
  readonly avgFrameRate: AvRational;
  readonly rFrameRate: AvRational;
}

export interface AvFormatContext {
  /** Microseconds, or a negative number when it is unknown. */
  readonly duration: bigint;
  readonly streams: readonly AvStream[];
  openInputSync(url: string, format: object | null, options: AvDictionary | null): number;
  findStreamInfoSync(options: null): number;
  findBestStream(type: number): number;
  readFrameSync(packet: AvPacket): number;
  seekFrameSync(stream: number, timestamp: bigint, flags: number): number;
  closeInputSync(): void;
}

export interface AvCodecContext {
  bitRate: bigint;
  rcMaxRate: bigint;
  rcBufferSize: number;
  width: number;
  height: number;
  pixelFormat: number;
  timeBase: AvRational;
  framerate: AvRational;
  sampleAspectRatio: AvRational;
  gopSize: number;
  maxBFrames: number;
  threadCount: number;
  colorRange: number;
  colorPrimaries: number;
  colorTrc: number;
  colorSpace: number;
  allocContext3(codec: AvCodec): void;
  parametersToContext(parameters: AvCodecParameters): number;
  /** Its twin `open2Sync` frees the options twice in version 6.1.1, which ends the process later. */
  open2(codec: AvCodec, options: AvDictionary | null): Promise<number>;
  sendPacketSync(packet: AvPacket | null): number;
  receiveFrameSync(frame: AvFrame): number;
  sendFrameSync(frame: AvFrame | null): number;
  receivePacketSync(packet: AvPacket): number;
  flushBuffers(): void;
  freeContext(): void;
}

export interface AvFilterContext {
  link(pad: number, to: AvFilterContext, toPad: number): number;
  buffersrcAddFrameSync(frame: AvFrame | null, flags?: number): number;
  buffersinkGetFrameSync(frame: AvFrame): number;
}

export interface AvFilterGraph {
  nbThreads: number;
  alloc(): void;
  createFilter(filter: object, name: string, parameters: string | null): AvFilterContext | null;
  configSync(): number;
  free(): void;
}

/** Constants of FFmpeg's libraries, version 8: their values are part of its interface and do not change. */
export const AV = {
  /** EAGAIN of the system, negative. */
  errorAgain: -constants.errno.EAGAIN,
  errorEnd: -541_478_725,
  errorInvalidData: -1_094_995_529,
  mediaTypeVideo: 0,
  codecIdH264: 27,
  pixelFormatYuv420p: 0,
  colorRangeMpeg: 1,
  pictureTypeNone: 0,
  pictureTypeIntra: 1,
  seekBackward: 1,
  displayMatrix: 5,
  logFatal: 8,
  /** `AV_BUFFERSRC_FLAG_KEEP_REF`: the filter takes a reference, and the caller keeps the frame. */
  keepReference: 8,
} as const;

let library: Promise<AvLibrary | undefined> | undefined;

/** Loads `node-av`; `undefined` when it is not installed or does not run on this machine. */
export function loadAvLibrary(): Promise<AvLibrary | undefined> {
  library ??= load();
  return library;
}

async function load(): Promise<AvLibrary | undefined> {
  try {
    // Not a literal: the compiler must not look for an optional package.
    const name = ['node-av', 'lib'].join('/');
    const loaded = (await import(name)) as AvLibrary;
    loaded.Log.setLevel(AV.logFatal);
    return loaded;
  } catch {
    return undefined;
  }
}
