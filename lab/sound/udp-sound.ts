import type { AccessUnit } from '../../protocol/access-unit.ts';
import { type Instant, instant } from '../../protocol/base/units.ts';
import type { SentStreamParameters } from '../../protocol/stream-parameters.ts';
import type { BundledReceiverEvent } from '../../receiver/bundled-receiver.ts';
import type { Receiver } from '../../receiver/receiver.ts';
import { receiverOptions } from '../../receiver/receiver-options.ts';
import { UnlimitedRate } from '../../sender/rate/unlimited-rate.ts';
import { Sender } from '../../sender/sender.ts';
import { senderOptions } from '../../sender/sender-options.ts';
import {
  SOUND_REPAIR_SSRC,
  SOUND_REPORT_SSRC,
  SOUND_RETRANSMISSION_SSRC,
  SOUND_SSRC,
  simulatedSound,
} from '../../sim/simulated-stream.ts';
import { MediaPacketTable } from '../media-packet-table.ts';
import type { StrategySound, TransportFigures } from '../strategy.ts';

type SoundEvent = Extract<BundledReceiverEvent, { kind: 'sound' }>['event'];

/** Sound beside the pictures of our own transport: its sender, and the table of its packets. */
export class UdpSound {
  readonly sender: Sender;
  readonly observer: MediaPacketTable;
  readonly #sound: StrategySound;
  readonly #parameters: SentStreamParameters;

  /** @param pictures parameters of the pictures, which the sound shares but for its codec, numbers and SSRCs. */
  constructor(sound: StrategySound, pictures: SentStreamParameters) {
    const { recovery, redundancy, latency, datagramBytesMax } = pictures;
    const { codec, clockRate } = sound;
    this.#sound = sound;
    this.#parameters = simulatedSound({ codec, clockRate, recovery, redundancy, latency, datagramBytesMax });
    // As in a session: the capacity is measured with the pictures, which are most of the bytes.
    this.sender = new Sender(senderOptions(this.#parameters, { rate: () => new UnlimitedRate() }));
    this.observer = new MediaPacketTable(sound.units, {
      measuredFrom: sound.measuredFrom,
      initialSequence: this.#parameters.initialSequence,
      sendableFor: latency,
      ssrcs: { media: SOUND_SSRC, retransmission: SOUND_RETRANSMISSION_SSRC, repair: SOUND_REPAIR_SSRC },
    });
  }

  /** Options of the receiver. */
  receiverOptions(release: 'deadline' | 'asap') {
    return { ...receiverOptions(this.#parameters, { reportSsrc: SOUND_REPORT_SSRC, release }), ssrc: SOUND_SSRC };
  }

  send(now: Instant, unit: AccessUnit, row: number): void {
    if (this.sender.send(now, unit) === 'queued') this.observer.addFrame(row);
    else this.#sound.units.setClass(row, 'refused');
  }

  /** Announces the end of the stream, as the control channel does. */
  announceEnd(now: Instant, receiver: Receiver): void {
    const { statistics, lastSequence } = this.sender;
    receiver.endOfStream(now, { frames: statistics.frames, lastSequence });
  }

  handleEvent(now: Instant, event: SoundEvent): void {
    switch (event.kind) {
      case 'access-unit':
        return this.observer.release(now, event.frame, {
          class: event.class,
          completeAt: instant(now - event.playoutDelay + event.completionDelay),
        });
      case 'dropped':
        for (let more = 0; more < event.frames; more++) this.observer.drop(now, event.frame + more, event.cause);
        return;
      case 'malformed':
        return;
      default:
        event satisfies never;
    }
  }

  conclude(): TransportFigures {
    return this.observer.conclude();
  }
}
