import { element } from '../player/statistics-panel.ts';
import { withoutTour } from './page-address.ts';

interface Scene {
  readonly link: string;
  readonly words: string;
  /** Display time, milliseconds; default: `SCENE_MS`. */
  readonly shownMs?: number;
}

/** Display time of a scene, milliseconds. */
const SCENE_MS = 10_000;
/** Display time of the first scene, milliseconds: losses are to be seen well before ten seconds have passed. */
const CLEAN_MS = 3_500;
const SCENES: readonly Scene[] = [
  {
    link: 'delay=30ms',
    words: 'A clean network: every lane shows the same picture at the same time.',
    shownMs: CLEAN_MS,
  },
  {
    link: 'loss=4% delay=30ms±4ms order=kept',
    words:
      'Now 4 of 100 packets are lost. UDP without recovery shows the damage, UDP hybrid gets them again in time, and TCP has to wait.',
  },
  {
    link: 'loss=6% burst=6 delay=30ms±4ms order=kept',
    words: 'Losses come in bursts, as on Wi-Fi. UDP hybrid asks for the packets again while there is time.',
  },
  {
    link: 'loss=4% delay=120ms±4ms order=kept',
    words: 'A longer way: asking again would be too slow, so UDP hybrid sends repair packets in advance.',
  },
  {
    link: 'loss=6% burst=2 delay=60ms order=kept',
    words: 'TCP keeps everything in order: one lost packet holds back all that follow, and the queue grows.',
  },
  {
    link: 'delay=30ms',
    words: 'The network is clean again. UDP is live at once; TCP first has to play what has piled up.',
  },
];
const YOUR_TURN = 'Your turn: drop packets, freeze the network, or choose another one below.';
const SEEN = 'dropframe.tour';
/** Age of a server above which a first visit does not change the network, since somebody may be using it. */
const SERVER_AGE_MS_MAX = 60_000;

export interface TourHandlers {
  /** Called to change the network of all lanes. */
  changed(link: string): void;
  /** Called with the sentence of a scene; `undefined` at the end of the tour. */
  said(words: string | undefined): void;
}

/** A guided minute: six networks with a sentence each, and then the network of before. */
export class Tour {
  readonly #handlers: TourHandlers;
  readonly #skip = element('tour-skip', HTMLButtonElement);
  #timer: number | undefined;
  #linkBefore: string | undefined;
  #offered = false;
  /** The page writes its settings into the address. */
  readonly #hasSettings = location.hash.length > 1;

  constructor(handlers: TourHandlers) {
    this.#handlers = handlers;
    this.#skip.addEventListener('click', () => this.end());
  }

  get isRunning(): boolean {
    return this.#linkBefore !== undefined;
  }

  /** The network to which the tour returns; `undefined` while it does not run. */
  get linkBefore(): string | undefined {
    return this.#linkBefore;
  }

  /**
   * Starts the tour where the address has `?tour`, and at a first visit without settings in the address; later calls do
   * nothing. @param link the network in force. @param serverMs age of the server, milliseconds.
   */
  offer(link: string, serverMs: number): void {
    if (this.#offered) return;
    this.#offered = true;
    const asked = new URLSearchParams(location.search).get('tour');
    const isFirst = asked === null && !this.#hasSettings && serverMs < SERVER_AGE_MS_MAX && !wasSeen();
    if (isFirst || (asked !== null && asked !== 'off')) this.start(link);
  }

  /** @param link the network in force, to which the tour returns. */
  start(link: string): void {
    if (this.isRunning) return;
    this.#linkBefore = link;
    this.#skip.hidden = false;
    clearTimeout(this.#timer);
    remember();
    // A reload or a copy of the address does not start it again.
    history.replaceState(null, '', withoutTour(location.href));
    this.#show(0);
  }

  /** Ends the tour. @param keeps true to keep the network of now, because the user has changed it. */
  end(keeps = false): void {
    clearTimeout(this.#timer);
    const link = this.#linkBefore;
    if (link === undefined) return;
    this.#linkBefore = undefined;
    this.#skip.hidden = true;
    if (!keeps) this.#handlers.changed(link);
    this.#handlers.said(undefined);
  }

  #show(index: number): void {
    const scene = SCENES[index];
    if (!scene) {
      this.end();
      this.#handlers.said(YOUR_TURN);
      this.#timer = setTimeout(() => this.#handlers.said(undefined), SCENE_MS);
      return;
    }
    this.#handlers.changed(scene.link);
    this.#handlers.said(`${index + 1} of ${SCENES.length}: ${scene.words}`);
    this.#timer = setTimeout(() => this.#show(index + 1), scene.shownMs ?? SCENE_MS);
  }
}

/** Without storage every visit would be the first: then the tour waits until it is asked for. */
function wasSeen(): boolean {
  try {
    return localStorage.getItem(SEEN) !== null;
  } catch {
    return true;
  }
}

function remember(): void {
  try {
    localStorage.setItem(SEEN, 'seen');
  } catch {
    // The tour is offered in the menu.
  }
}
