import type { LaneAnnouncement, LanesState } from '../../protocol/page/lane-message.ts';
import { element } from '../player/statistics-panel.ts';
import { listenForShortcuts } from '../shared/shortcuts.ts';
import { VideoView } from '../shared/video-view.ts';
import { copyLink } from './copy-link.ts';
import { FileUpload } from './file-upload.ts';
import { FrameLife } from './frame-life.ts';
import { Frontier } from './frontier.ts';
import { Glossary } from './glossary.ts';
import { LabButtons } from './lab-buttons.ts';
import { scenarioOf } from './lab-scenario.ts';
import { LagNote } from './lag-note.ts';
import { LaneCards } from './lane-cards.ts';
import { LaneConnection } from './lane-connection.ts';
import { clock, goneWords, STATES, UNABLE } from './lane-words.ts';
import { Listening } from './listening.ts';
import { LocalServices } from './local-services.ts';
import { MessageBar } from './message-bar.ts';
import { NetworkPanel } from './network-panel.ts';
import { OwnSettings } from './own-settings.ts';
import { writeAddress } from './page-address.ts';
import { loadTraces, namesTrace } from './page-traces.ts';
import { RateChart } from './rate-chart.ts';
import { ReplayDialog } from './replay-dialog.ts';
import { SERVER } from './server-services.ts';
import { Stage } from './stage.ts';
import { Tour } from './tour.ts';
import { lagOf } from './verdict.ts';

/** Upward drift of the server clock estimate (a running minimum), milliseconds per batch of events. */
const CLOCK_DRIFT_MS = 0.02;
/** Mean interval between animation frames above which the page draws less, milliseconds (below 40 per second). */
const SLOW_FRAME_MS = 25;
const FRAME_WEIGHT = 0.1;
/** A paused timeline goes back to a selected frame that is older than what it shows, and shows this much after it, milliseconds. */
const SELECTED_AFTER_MS = 2_500;
/** Time after which the traces are loaded where the address names none, milliseconds. */
const TRACES_AFTER_MS = 1_000;

const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)');
const cards = new LaneCards({
  changed: (lanes) => connection.send({ kind: 'settings', lanes }),
  selected: (card, frame) => life.select(card, frame),
  stepped: (card, by) => life.step(card, by),
  removed: (card) => {
    life.forget(card);
    listening.forget(card);
  },
  soundToggled: (card) => listening.toggle(card),
});
const life = new FrameLife(cards, () => {
  if (paused) redrawTimelines();
});
const lag = new LagNote();
const sourceSelect = element('source', HTMLSelectElement);
const message = new MessageBar();
const glossary = new Glossary();
const stage = new Stage();
const frontier = new Frontier(document.querySelector<SVGSVGElement>('#frontier')!);
const rates = new RateChart(document.querySelector<SVGSVGElement>('#rates')!);
const tour = new Tour({
  changed: (link) => connection.send({ kind: 'settings', link }),
  said: (words) => stage.guide(words),
});
const network = new NetworkPanel({
  changed: (link) => {
    tour.end(true);
    connection.send({ kind: 'settings', link });
  },
  drop: (packets) => connection.send({ kind: 'drop', packets }),
  freeze: (milliseconds) => connection.send({ kind: 'freeze', milliseconds }),
});
let state: LanesState | undefined;
let paused = false;
let ended = false;
let everConnected = false;
/** Command that starts the server, as the server has named it. */
let command: string | undefined;
let clockOffsetMs: number | undefined;
let pausedAtMs = 0;
/** Time of the newest events, milliseconds on the server's clock. */
let eventsAtMs = 0;
/** Interval between animation frames, milliseconds, smoothed. */
let frameMs = 16;
let lastDrawnAt = performance.now();
let turn = 0;

/** A page without a server has its lanes in workers. */
const isLocal = document.body.dataset.lanes === 'local';
const showFailure = (why: string) => message.show(why, 'error', true);
const own = new OwnSettings(
  {
    requested: (news) => connection.send({ kind: 'settings', ...news }),
    refused: (why) => message.refuse(why),
  },
  location.hash,
);
const listening = new Listening(cards, () => connection, showFailure);
const services = isLocal ? new LocalServices(showFailure) : SERVER;
const connection = new LaneConnection(
  {
    connected() {
      everConnected = true;
      ended = false;
      clockOffsetMs = undefined;
      for (const card of cards.all) card.forget();
      rates.forget();
      frontier.forget();
      message.hide();
      refreshState();
    },
    disconnected() {
      // A tour is over, and the network that it would have returned to is that of this window.
      if (state) state = settled(state);
      tour.end(true);
      if (everConnected) stage.leave();
      message.show(goneWords(ended, command), 'error', true);
      refreshState();
    },
    failed: showFailure,
    announced,
    pictures: (lanes) => cards.showPictures(lanes),
  },
  services.port,
);

function announced(announcement: LaneAnnouncement, ids: readonly number[]): void {
  switch (announcement.kind) {
    case 'state':
      return applyState(announcement.state, ids);
    case 'description': {
      const { width, height, title, startedAtMs } = announcement;
      if (own.follow(startedAtMs, state)) life.clear();
      command = announcement.command ?? command;
      listening.describe(announcement.sound);
      document.body.style.setProperty('--picture-ratio', `${width} / ${height}`);
      document.title = `${title} · dropframe`;
      return;
    }
    case 'events': {
      const { atMs } = announcement;
      const offset = performance.now() - atMs;
      clockOffsetMs = clockOffsetMs === undefined ? offset : Math.min(clockOffsetMs + CLOCK_DRIFT_MS, offset);
      // A paused timeline must not move: events that arrive meanwhile are stamped with the time of the pause.
      for (const [index, events] of announcement.lanes.entries())
        cards.all[index]?.take(paused ? pausedAtMs : atMs, events);
      eventsAtMs = atMs;
      if (!paused) life.refresh();
      if (state && own.areRead) tour.offer(state.link, atMs);
      return;
    }
    case 'figures':
      if (paused) return;
      for (const [index, figures] of announcement.lanes.entries()) {
        cards.all[index]?.show(figures, announcement.atMs, network.delayMs);
      }
      stage.show(announcement.atMs, cards.all);
      return frontier.show(cards.all);
    case 'rates': {
      if (paused) return;
      for (const card of cards.all) card.showEncoder(announcement.encoder);
      return rates.show(
        announcement,
        cards.all.map(({ settings }) => settings),
      );
    }
    case 'refused':
      if (state) network.showLink(state.link, true);
      return message.refuse(announcement.why);
    case 'skipped':
      return lag.skipped(announcement.behindMs);
    case 'ended':
      ended = true;
      return;
    default:
      announcement satisfies never;
  }
}

function applyState(next: LanesState, ids: readonly number[]): void {
  if (state && state.source !== next.source) {
    rates.forget();
    frontier.forget();
    life.clear();
  }
  state = next;
  // A new state from the server replaces an earlier refusal.
  message.endRefusal();
  const areOthersRequested = own.request(next);
  cards.apply(next.lanes, ids);
  for (const card of cards.all) card.showAbsence(next);
  if (paused) forgetRemoved();
  listening.show();
  network.showLink(next.link);
  sourceSelect.replaceChildren(...next.sources.map((name) => new Option(name, name)));
  sourceSelect.value = next.source;
  // The address keeps what this window wants.
  if (!areOthersRequested) history.replaceState(null, '', writeAddress(settled(next)));
}

/** Charts and lesson are not renewed while the page is paused, but they have no lane that was removed. */
function forgetRemoved(): void {
  frontier.show(cards.all);
  rates.keep(new Set(cards.all.map(({ log }) => log.run)));
  stage.teach(cards.all);
}

/** The settings without the network of a scene of the tour. */
function settled(shown: LanesState): LanesState {
  return { ...shown, link: tour.linkBefore ?? shown.link };
}

function currentState(): keyof typeof STATES {
  if (!VideoView.supported || cards.all.some((card) => card.pictures?.unable)) return 'unable';
  if (ended) return 'ended';
  if (!connection.connected) return everConnected ? 'gone' : 'connecting';
  return paused ? 'paused' : 'live';
}

function refreshState(): void {
  const now = currentState();
  if (document.body.dataset.state === now && now !== 'unable') return;
  document.body.dataset.state = now;
  enableControls(connection.connected && !ended);
  element('state-text', HTMLElement).textContent = STATES[now];
  if (now === 'unable') message.show(UNABLE, 'error', true);
}

/** Controls of the server do nothing without it. */
function enableControls(enabled: boolean): void {
  for (const part of document.querySelectorAll<HTMLElement>('.of-server')) {
    if (part instanceof HTMLFieldSetElement) part.disabled = !enabled;
    else part.inert = !enabled;
  }
}

const nowMs = (): number => performance.now() - (clockOffsetMs ?? performance.now());

/**
 * Draws all lanes. Browsers call it only while the page is visible. On a slow browser, one timeline is redrawn per
 * animation frame, in turn, so that the video comes first.
 */
function drawFrame(drawnAt: number): void {
  requestAnimationFrame(drawFrame);
  frameMs += (drawnAt - lastDrawnAt - frameMs) * FRAME_WEIGHT;
  lastDrawnAt = drawnAt;
  if (clockOffsetMs !== undefined && !replay.view) drawLanes();
  // At the end: pictures that are requested now are newer, by the time of all this drawing, when the next frame draws them.
  connection.handled();
}

function drawLanes(): void {
  const at = nowMs();
  const isSlow = frameMs > SLOW_FRAME_MS;
  turn = (turn + 1) % Math.max(1, cards.all.length);
  for (const [index, card] of cards.all.entries()) {
    card.refresh(at, { paused, reduced: reducedMotion.matches, timeline: !isSlow || index === turn });
  }
  const { share, whole } = connection.decoded;
  lag.show(connection.connected ? Math.max(at - eventsAtMs, connection.behindMs) : 0, {
    share,
    whole: cards.all.findIndex(({ id }) => id === whole) + 1,
  });
  if (!paused) element('live-clock', HTMLOutputElement).value = clock(at);
}

function redrawTimelines(): void {
  // A selected frame that is older than what a timeline shows moves it.
  const at = Math.min(pausedAtMs, (life.frame?.decidedMs ?? pausedAtMs) + SELECTED_AFTER_MS);
  for (const card of cards.all) card.timeline.draw(at, false);
}

function togglePause(): void {
  paused = !paused;
  pausedAtMs = nowMs();
  const button = element('pause', HTMLButtonElement);
  button.setAttribute('aria-pressed', String(paused));
  button.querySelector('span')!.textContent = paused ? 'Resume' : 'Pause';
  refreshState();
}

function togglePanels(): void {
  const hidden = document.body.classList.toggle('without-panels');
  element('toggle-panel', HTMLButtonElement).setAttribute('aria-expanded', String(!hidden));
}

const stopDialog = element('stop-dialog', HTMLDialogElement);

/** Asks first: the server ends for every window. */
function askToStop(): void {
  element('menu', HTMLElement).hidePopover();
  element('stop-command', HTMLElement).textContent = command === undefined ? '' : `Start it again with: ${command}`;
  stopDialog.returnValue = '';
  stopDialog.showModal();
}

listenForShortcuts({
  ' ': togglePause,
  '?': () => glossary.open(),
  i: togglePanels,
  r: () => void replay.open(),
  f: () => cards.toggleFullScreen(),
  m: () => listening.toggleChosen(),
  q: askToStop,
  ...Object.fromEntries([1, 2, 3, 4].map((number) => [String(number), () => listening.choose(number - 1)])),
});
element('pause', HTMLButtonElement).addEventListener('click', togglePause);
element('explain', HTMLButtonElement).addEventListener('click', () => glossary.open());
element('copy-link', HTMLButtonElement).addEventListener('click', () => void copyLink(message));
element('full-screen', HTMLButtonElement).addEventListener('click', () => cards.toggleFullScreen());
element('toggle-panel', HTMLButtonElement).addEventListener('click', togglePanels);
element('stop', HTMLButtonElement).addEventListener('click', askToStop);
stopDialog.addEventListener('close', () => {
  if (stopDialog.returnValue === 'stop') connection.send({ kind: 'stop' });
});
element('restart', HTMLButtonElement).addEventListener('click', () => connection.send({ kind: 'restart' }));
element('tour', HTMLButtonElement).addEventListener('click', () => {
  element('menu', HTMLElement).hidePopover();
  if (state) tour.start(state.link);
});
new LabButtons(message, services, () => (state ? scenarioOf(state, cards.all[0]?.figures) : ''));
new FileUpload(message, services);
const replay = new ReplayDialog(message, {
  record: () => connection.record(),
  toggled: (isOpen) => connection.rest(isOpen),
});
sourceSelect.addEventListener('change', () => connection.send({ kind: 'settings', source: sourceSelect.value }));
addEventListener('hashchange', () => {
  own.readAgain(location.hash);
  if (state) own.request(state);
});
// Traces come after the first pictures, which need the time of the server.
setTimeout(
  async () => {
    await loadTraces();
    own.hasTraces = true;
    if (state) own.request(state);
    if (state) network.showLink(state.link);
  },
  namesTrace(location.hash) ? 0 : TRACES_AFTER_MS,
);
// Inside another page: the lanes, and what acts on them.
const isEmbedded = new URLSearchParams(location.search).has('embed');
if (isEmbedded) document.body.classList.add('embedded', 'without-panels');
// A large screen has room for all figures; so has the frame of the home page that site.css makes large.
const large = isEmbedded ? '(width >= 2000px) and (height >= 770px)' : '(width >= 1700px) and (height >= 1000px)';
if (matchMedia(large).matches) cards.toggleFigures();
setInterval(refreshState, 500);
refreshState();
requestAnimationFrame(drawFrame);

/** State of the page for tests and for the console. */
Object.defineProperty(window, 'dropframe', {
  value: {
    get state() {
      return currentState();
    },
    get settings() {
      return state;
    },
    get replay() {
      return replay.view;
    },
    get sound() {
      return listening.state;
    },
    get skips() {
      return connection.skips;
    },
    get decoded() {
      return connection.decoded.share;
    },
    get lanes() {
      return cards.all.map(({ pictures, framesDrawn, lagMs, settings, figures, verdict, log }) => ({
        framesDrawn,
        framesHidden: pictures?.framesHidden ?? 0,
        framesSkipped: pictures?.framesSkipped ?? 0,
        decodeErrors: pictures?.decodeErrors ?? 0,
        lagMs,
        settings,
        figures,
        verdict: verdict?.words,
        behindMs: lagOf(log),
        heldNow: log.heldNow,
        heldLately: log.heldLately,
        frames: log.frames.size,
        sounds: log.sounds.length,
        soundPeak: pictures?.soundPeak ?? 0,
        packets: log.packets.size,
      }));
    },
  },
});
