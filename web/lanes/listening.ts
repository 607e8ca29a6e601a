import type { PageSoundDescription } from '../../protocol/page/page-message.ts';
import type { LaneCard } from './lane-card.ts';
import type { LaneCards } from './lane-cards.ts';
import type { LaneConnection } from './lane-connection.ts';
import { LaneSpeaker } from './lane-speaker.ts';

/** Which lane is heard: chosen by its button or by keys, and told to its card and to the worker. */
export class Listening {
  readonly #cards: LaneCards;
  readonly #speaker: LaneSpeaker;

  /** @param failed called with one line when the browser does not play the sound. */
  constructor(cards: LaneCards, connection: () => LaneConnection, failed: (why: string) => void) {
    this.#cards = cards;
    this.#speaker = new LaneSpeaker({
      listen: (lane, loudspeaker) => connection().listen(lane, loudspeaker),
      hearing: (mediaUs, atMs) => connection().hearing(mediaUs, atMs),
      changed: () => this.show(),
      failed,
    });
  }

  /** State of the sound for tests and for the console. */
  get state() {
    const { state, lane, output } = this.#speaker;
    return { state, lane, output: output?.node, report: output?.report, heardUs: output?.heardUs };
  }

  /** Takes over the sound of a source. @param description `undefined` without sound. */
  describe(description: PageSoundDescription | undefined): void {
    void this.#speaker.describe(description);
  }

  /** Shows on every card whether it is heard. */
  show(): void {
    const { state, lane } = this.#speaker;
    for (const card of this.#cards.all) card.showSpeaker(state, card.id === lane);
  }

  /** Hears a lane in place of another one; the lane that is heard is muted. */
  toggle(card: LaneCard): void {
    if (this.#speaker.lane === card.id) this.#speaker.mute();
    else void this.#speaker.hear(card.id);
  }

  /** Mutes the lane that is heard, or hears the chosen one. */
  toggleChosen(): void {
    const card = this.#cards.all.find(({ id }) => id === this.#speaker.lane) ?? this.#cards.chosen;
    if (card) this.toggle(card);
  }

  /** Chooses a lane, which is heard in place of another one. */
  choose(index: number): void {
    this.#cards.choose(index);
    const { lane } = this.#speaker;
    const card = this.#cards.all[index];
    if (card && lane !== undefined && lane !== card.id) this.toggle(card);
  }

  /** Mutes a lane that is gone. */
  forget(card: LaneCard): void {
    if (this.#speaker.lane === card.id) this.#speaker.mute();
  }
}
