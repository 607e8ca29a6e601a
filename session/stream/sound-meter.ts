import type { AccessUnit } from '../../protocol/access-unit.ts';
import { base64Bytes } from '../../protocol/base/text-codec.ts';
import { type Ticks, ticks } from '../../protocol/base/units.ts';
import { codecByName } from '../../protocol/codec/codecs.ts';
import type { MediaStream } from '../../protocol/control/media-stream.ts';
import type { ReceiverEvent } from '../../receiver/receiver.ts';
import type { ReceiverStatistics } from '../../receiver/receiver-statistics.ts';
import type { SoundRecord } from './client.ts';
import { FinishedSessions } from './finished-sessions.ts';

const TICKS_PER_MS = 90;

/** Measures what becomes of the sound over all sessions. Holes of the source itself do not count as lost. */
export class SoundMeter {
  readonly #finished = new FinishedSessions();
  /** Duration of a unit of the current session, 90 kHz. */
  #durationOf: (unit: AccessUnit) => number = () => 0;
  /** End of the last unit, and its duration, 90 kHz. */
  #end: Ticks | undefined;
  #duration = 0;
  /** Units lost since the last one that was released. */
  #lost = 0;
  /** Lost sound before them, and late sound, 90 kHz. */
  #concealed = 0;

  /** A session with this sound begins. */
  begin({ codec, parameterSets }: Pick<MediaStream, 'codec' | 'parameterSets'>): void {
    this.#settle();
    const { sound } = codecByName(codec);
    const sets = parameterSets.map(base64Bytes).filter((set) => set !== undefined);
    this.#durationOf = ({ parts }) => sound?.durationOf(parts, sets) ?? 0;
    this.#end = undefined;
  }

  handleEvent(event: ReceiverEvent): void {
    if (event.kind === 'dropped') this.#lost += event.frames;
    if (event.kind !== 'access-unit') return;
    const { timestamp } = event.unit;
    const duration = this.#durationOf(event.unit);
    if (this.#lost > 0 && this.#end !== undefined) {
      // The rest of a longer gap is a hole of the source, or time in which it stalled.
      const longest = this.#lost * Math.max(this.#duration, duration);
      this.#concealed += Math.min(Math.max(0, timestamp - this.#end), longest);
      this.#lost = 0;
    }
    this.#duration = duration;
    this.#settle();
    if (event.class === 'late' || event.class === 'mended') this.#concealed += this.#duration;
    this.#end = ticks(timestamp + this.#duration);
  }

  /** The session has ended with these statistics. */
  end(statistics: ReceiverStatistics | undefined): void {
    this.#settle();
    if (statistics) this.#finished.add({ statistics });
  }

  /** @param current statistics of the session that has not ended. */
  record(current: ReceiverStatistics | undefined): SoundRecord | undefined {
    const sessions = current ? [...this.#finished.rows, current] : this.#finished.rows;
    if (sessions.length === 0) return undefined;
    return { sessions, concealedMs: (this.#concealed + this.#lost * this.#duration) / TICKS_PER_MS };
  }

  #settle(): void {
    this.#concealed += this.#lost * this.#duration;
    this.#lost = 0;
  }
}
