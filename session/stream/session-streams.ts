import type { SoundDescription } from '../../io/sources/media-source.ts';
import { type CodecName, codecByName } from '../../protocol/codec/codecs.ts';
import type { EndOfStreamMessage, HelloMessage, SentMessage } from '../../protocol/control/control-message.ts';
import { presentableParameterSets } from '../../protocol/control/control-message.ts';
import { type MediaStream, SOUND_STREAM_ID, VIDEO_STREAM_ID } from '../../protocol/control/media-stream.ts';
import {
  agreedParameters,
  announcedStream,
  type StreamFields,
  welcomeFields,
} from '../../protocol/control/stream-agreement.ts';
import type { WireSequence } from '../../protocol/rtp/sequence.ts';
import type { SentStreamParameters } from '../../protocol/stream-parameters.ts';
import { BundledSender } from '../../sender/bundled-sender.ts';
import type { HistoryBudget } from '../../sender/history-budget.ts';
import type { MultipathSender } from '../../sender/paths/multipath-sender.ts';
import type { PathHealth } from '../../sender/paths/path-health.ts';
import { StreamPaths } from '../../sender/paths/stream-paths.ts';
import { UnlimitedRate } from '../../sender/rate/unlimited-rate.ts';
import { Sender, type SenderEvent } from '../../sender/sender.ts';
import { senderOptions } from '../../sender/sender-options.ts';
import type { SharedPackets } from '../../sender/shared-packets.ts';
import { randomCname, randomSsrc, randomTimestamp } from './identifiers.ts';

/** Payloads of a stream, for all of its receivers. */
export interface StreamPackets {
  readonly video: SharedPackets;
  readonly sound: SharedPackets;
}

export interface SessionStreamsOptions {
  readonly hello: HelloMessage;
  readonly codec: CodecName;
  /** RTP clock rate; that of the codec by default. */
  readonly clockRate?: number | undefined;
  /** `undefined` without sound. */
  readonly sound: SoundDescription | undefined;
  readonly follows: boolean;
  readonly datagramBytesMax: number;
  readonly historyBudget: HistoryBudget;
  /** Payloads of pictures and of sound, shared by all receivers; `undefined` where packets are retained after they are sent. */
  readonly sharedPackets: StreamPackets | undefined;
  readonly initialSequence: () => WireSequence;
}

/** The media streams of one receiver: what both ends agreed on, their senders, and their totals in messages. */
export class SessionStreams {
  readonly sender: BundledSender;
  /** The two paths of the streams, which leave by the `end`; `undefined` for one path. */
  readonly paths: { readonly health: PathHealth; readonly end: MultipathSender<SenderEvent> } | undefined;
  /** Options of the senders, for a report of a fault. */
  readonly options: { readonly video: object; readonly sound: object | undefined };
  readonly #video: SentStreamParameters;
  readonly #sound: { readonly parameters: SentStreamParameters; readonly description: SoundDescription } | undefined;

  constructor(options: SessionStreamsOptions) {
    const { hello, codec, clockRate, sound, follows, datagramBytesMax, historyBudget, initialSequence } = options;
    const wire = { initialSequence, datagramBytesMax };
    const choices = () => ({
      ...wire,
      ssrc: randomSsrc(),
      initialSequence: initialSequence(),
      timestampBase: randomTimestamp(),
    });
    this.#video = agreedParameters(hello, {
      ...choices(),
      codec: codecByName(codec),
      ...(clockRate !== undefined && { clockRate }),
    });
    const isSound = this.#video.codec.mediaType === 'audio';
    const rate = isSound ? () => new UnlimitedRate() : follows ? 'adaptive' : 'measured';
    const { sharedPackets } = options;
    const common = { historyBudget, cname: randomCname() };
    const paths =
      hello.paths && hello.transport === 'udp'
        ? new StreamPaths(hello.paths, this.#video, { areProved: false })
        : undefined;
    const video = {
      ...senderOptions(this.#video, { ...common, rate }),
      ...paths?.senderOptions,
      sharedPackets: sharedPackets?.video,
    };
    let soundSender: Sender | undefined;
    let soundOptions: object | undefined;
    if (sound) {
      const { codecName, clockRate } = sound;
      const parameters = agreedParameters(hello, { ...choices(), codec: codecByName(codecName), clockRate });
      this.#sound = { parameters, description: sound };
      // The capacity of a path is measured with the pictures, which are most of the bytes.
      const ownRate = () => new UnlimitedRate();
      const sending = {
        ...senderOptions(parameters, { ...common, rate: ownRate }),
        sharedPackets: sharedPackets?.sound,
      };
      soundOptions = sending;
      soundSender = new Sender(sending);
    }
    this.options = { video, sound: soundOptions };
    this.sender = new BundledSender(new Sender(video), soundSender);
    this.paths = paths && { health: paths.health, end: paths.sendingEnd(this.sender) };
  }

  /** Parameters of the video in the welcome message. */
  get fields(): StreamFields {
    return welcomeFields(this.#video);
  }

  /** All streams, for the list in the welcome message. */
  announced(video: Pick<MediaStream, 'decoder' | 'parameterSets'>): MediaStream[] {
    const streams = [announcedStream(this.#video, { id: VIDEO_STREAM_ID, ...video })];
    if (this.#sound) {
      const { decoder, parameterSets } = this.#sound.description;
      const description = { decoder, parameterSets: presentableParameterSets(parameterSets) };
      streams.push(announcedStream(this.#sound.parameters, { id: SOUND_STREAM_ID, ...description }));
    }
    return streams;
  }

  /** Running totals of all streams. */
  sent(refused: number): SentMessage {
    const { frames, packets } = this.sender.video.statistics;
    const sound = this.sender.sound?.statistics;
    return {
      kind: 'sent',
      frames,
      packets,
      refused,
      ...(sound && { streams: [{ id: SOUND_STREAM_ID, frames: sound.frames, packets: sound.packets }] }),
    };
  }

  /** Final totals of all streams. */
  ended(): EndOfStreamMessage {
    const { sound, video } = this.sender;
    const totals = ({ statistics: { frames, packets }, lastSequence }: Sender) => ({
      frames,
      packets,
      lastSequence: lastSequence ?? null,
    });
    return {
      kind: 'end-of-stream',
      ...totals(video),
      ...(sound && { streams: [{ id: SOUND_STREAM_ID, ...totals(sound) }] }),
    };
  }
}
