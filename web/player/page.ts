import {
  isPageSound,
  PAGE_SOCKET_PATH,
  type PageAnnouncement,
  type PageCommand,
  type PageDescription,
  type PagePicture,
  parsePagePicture,
  parsePageSound,
} from '../../protocol/page/page-message.ts';
import { format, millisecondsFigure } from '../shared/figures.ts';
import { PageConnection } from '../shared/page-connection.ts';
import { listenForShortcuts } from '../shared/shortcuts.ts';
import { VideoView } from '../shared/video-view.ts';
import { SoundPlayer, type SoundState } from './sound-player.ts';
import { element, StatisticsPanel } from './statistics-panel.ts';

/** Age of the newest frame after which the video is no longer live, milliseconds. */
const STILL_MS = 1_500;
const REFRESH_MS = 500;
const METER_MS = 100;
/** Minimum interval between key frame requests after decode errors, milliseconds. */
const KEY_REQUEST_MS = 1_000;

type State = 'connecting' | 'waiting' | 'live' | 'paused' | 'gone' | 'stopping' | 'ended' | 'unable' | 'sound-only';

const WORDS: Readonly<Record<State, { readonly short: string; readonly title: string; readonly detail: string }>> = {
  connecting: { short: 'Connecting', title: 'Connecting', detail: '' },
  waiting: { short: 'Waiting', title: 'Waiting for video', detail: 'Playback starts at the next key frame.' },
  live: { short: 'Live', title: '', detail: '' },
  paused: { short: 'Paused', title: '', detail: '' },
  gone: {
    short: 'Reconnecting',
    title: 'dropframe does not respond',
    detail: 'This page reconnects when it is back.',
  },
  stopping: { short: 'Stopping', title: 'Stopping', detail: '' },
  ended: { short: 'Ended', title: 'The stream has ended', detail: 'This page shows the next stream when it starts.' },
  unable: {
    short: 'Cannot play',
    title: 'This browser cannot decode the stream',
    detail:
      'WebCodecs with H.264 is required (current Chrome, Edge, Safari or Firefox), on a page from 127.0.0.1. ' +
      'Or run dropframe with --play mpv or --play ffplay.',
  },
  'sound-only': {
    short: 'Sound only',
    title: 'This stream has no pictures',
    detail: 'This page does not play sound alone. Run dropframe receive with --play mpv or --play ffplay to hear it.',
  },
};

const noDecoder = (codec: string): string =>
  `It is ${codec}, and this browser has no decoder for it. The sender makes H.264 of it with --encode x264; ` +
  'or run dropframe receive with --play mpv or --play ffplay.';

const body = document.body;
const panel = new StatisticsPanel(element('panel', HTMLElement));
const sound = new SoundPlayer(() => refreshSound());
const video = new VideoView(element('video', HTMLCanvasElement), () => requestKey(), { heardUs: () => sound.heardUs });
const soundButton = element('sound', HTMLButtonElement);
const pauseButton = element('pause', HTMLButtonElement);
const panelButton = element('toggle-panel', HTMLButtonElement);
let description: PageDescription | undefined;
let ending: 'stopping' | 'ended' | undefined;
let everConnected = false;
let keyRequestedAt = Number.NEGATIVE_INFINITY;
let drawnBefore = { frames: 0, at: performance.now() };

/** Message from the page to the server. */
interface CommandMessage {
  readonly kind: 'command';
  readonly command: PageCommand;
}

const connection = new PageConnection<PageAnnouncement, CommandMessage, PagePicture>({
  path: PAGE_SOCKET_PATH,
  parsePicture: parsePagePicture,
  connected() {
    everConnected = true;
    ending = undefined;
    video.reset();
    panel.clear();
    refresh();
  },
  disconnected() {
    if (ending === 'stopping') ending = 'ended';
    refresh();
  },
  announced(announcement) {
    switch (announcement.kind) {
      case 'description':
        description = announcement.description;
        video.reset(description.codec, description.rotation);
        void sound.describe(description.sound);
        break;
      case 'statistics':
        panel.update(announcement.record);
        break;
      case 'ended':
        ending = 'ended';
        break;
      default:
        announcement satisfies never;
    }
    refresh();
  },
  picture(picture) {
    video.show(picture);
  },
  other(message) {
    if (!isPageSound(message)) return false;
    const frame = parsePageSound(message);
    if (frame.ok && !video.paused) sound.push(frame.value);
    return true;
  },
});

const SOUND_WORDS: Readonly<Record<SoundState, string>> = {
  none: '',
  unable: 'This browser cannot play the sound',
  off: 'Turn sound on',
  on: 'Turn sound off',
};

function refreshSound(): void {
  const { state } = sound;
  soundButton.hidden = state === 'none';
  soundButton.disabled = state === 'unable';
  soundButton.querySelector('span')!.textContent = SOUND_WORDS[state];
  element('sound-section', HTMLElement).hidden = state !== 'on';
}

/** Peak of the sound below which the meter is empty, decibels. */
const METER_FLOOR_DB = -60;

function refreshMeter(): void {
  const report = sound.report;
  const level = Math.max(0, 1 - (20 * Math.log10(Math.max(1e-9, report?.peak ?? 0))) / METER_FLOOR_DB);
  element('sound-level', HTMLMeterElement).value = level;
  panel.set('soundConcealed', millisecondsFigure(report ? Math.round(report.concealedMs) : undefined));
  panel.set('soundCorrection', { text: report ? `${report.correctionPpm} ppm` : '–' });
}

/** Draws pictures when their sound is heard. */
function drawFrame(): void {
  requestAnimationFrame(drawFrame);
  video.drawDue();
}

function requestKey(): void {
  if (performance.now() - keyRequestedAt < KEY_REQUEST_MS) return;
  keyRequestedAt = performance.now();
  connection.send({ kind: 'command', command: 'request-keyframe' });
}

function state(): State {
  if (!VideoView.supported || video.unable) return 'unable';
  if (ending !== undefined) return ending;
  if (!connection.connected) return everConnected ? 'gone' : 'connecting';
  if (description?.width === 0) return 'sound-only';
  if (performance.now() - video.decodedAt > STILL_MS) return 'waiting';
  return video.paused ? 'paused' : 'live';
}

function refresh(): void {
  const now = state();
  if (body.dataset.state !== now || element('state-text', HTMLElement).textContent !== WORDS[now].short) {
    body.dataset.state = now;
    element('state-text', HTMLElement).textContent = WORDS[now].short;
    element('message-title', HTMLElement).textContent = WORDS[now].title;
    const codec = now === 'unable' && VideoView.supported ? video.announcedCodec : undefined;
    element('message-detail', HTMLElement).textContent = codec ? noDecoder(codec) : WORDS[now].detail;
  }
  if (video.framesDrawn > 0) body.dataset.hasPicture = '';
  if (description !== undefined) {
    element('source-title', HTMLElement).textContent = description.title;
    element('source-title', HTMLElement).title = description.title;
    element('source-format', HTMLElement).textContent = format(description, video.codec);
    const { width, height, rotation = 0 } = description;
    body.style.setProperty('--picture-ratio', rotation % 180 === 0 ? `${width} / ${height}` : `${height} / ${width}`);
    document.title = `${description.title} · dropframe`;
  }
}

function refreshWindowFigures(): void {
  const at = performance.now();
  const rate = ((video.framesDrawn - drawnBefore.frames) * 1_000) / (at - drawnBefore.at);
  drawnBefore = { frames: video.framesDrawn, at };
  panel.set('drawnRate', { text: rate.toFixed(rate < 9.95 ? 1 : 0) });
  panel.set('pageDelay', millisecondsFigure(video.delayMs));
}

function togglePause(): void {
  video.paused = !video.paused;
  sound.silence();
  const label = pauseButton.querySelector('span');
  if (label !== null) label.textContent = video.paused ? 'Resume' : 'Pause';
  refresh();
}

function togglePanel(): void {
  const hidden = body.classList.toggle('without-panel');
  panelButton.setAttribute('aria-expanded', String(!hidden));
}

function toggleFullScreen(): void {
  if (document.fullscreenElement !== null) void document.exitFullscreen();
  else void element('stage', HTMLElement).requestFullscreen();
}

function stop(): void {
  if (!connection.connected) return;
  connection.send({ kind: 'command', command: 'stop' });
  ending = 'stopping';
  refresh();
}

listenForShortcuts({ ' ': togglePause, m: () => void sound.toggle(), i: togglePanel, f: toggleFullScreen, q: stop });
pauseButton.addEventListener('click', togglePause);
panelButton.addEventListener('click', togglePanel);
element('full-screen', HTMLButtonElement).addEventListener('click', toggleFullScreen);
element('full-screen', HTMLButtonElement).hidden = !document.fullscreenEnabled;
element('stop', HTMLButtonElement).addEventListener('click', stop);
soundButton.addEventListener('click', () => void sound.toggle());
requestAnimationFrame(drawFrame);
setInterval(refreshMeter, METER_MS);
setInterval(refresh, REFRESH_MS);
setInterval(refreshWindowFigures, 2 * REFRESH_MS);
refresh();

/** State of the page for tests and for the console. */
Object.defineProperty(window, 'dropframe', {
  value: {
    get framesReceived() {
      return video.framesReceived;
    },
    get framesDrawn() {
      return video.framesDrawn;
    },
    get framesHidden() {
      return video.framesHidden;
    },
    get framesSkipped() {
      return video.framesSkipped;
    },
    get decodeErrors() {
      return video.decodeErrors;
    },
    get codec() {
      return video.codec;
    },
    get delayMs() {
      return video.delayMs;
    },
    get sound() {
      const { state, report, output, heardUs } = sound;
      return { state, report, output, heardUs };
    },
    get connected() {
      return connection.connected;
    },
    get state() {
      return state();
    },
  },
});
