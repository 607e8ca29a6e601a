import type { LaneCommand } from '../../protocol/page/lane-command.ts';
import {
  LANE_SOCKET_PATH,
  type LaneAnnouncement,
  type LanePicture,
  parseLanePicture,
} from '../../protocol/page/lane-message.ts';
import { isLaneSound, parseLaneSound } from '../../protocol/page/lane-sound.ts';
import { RunRecorder } from '../replay/run-recorder.ts';
import { type ConnectionHandlers, PageConnection } from '../shared/page-connection.ts';
import { PortConnection } from '../shared/port-connection.ts';
import { LaneDecoders } from './lane-decoders.ts';
import { Outbox } from './outbox.ts';
import type { ToWorker, WorkerReport } from './worker-message.ts';

/** Interval of the checks that nothing else causes, milliseconds. */
const CHECK_MS = 50;
/** Interval of the checks for pictures whose time has come, milliseconds: half a refresh of the screen. */
const HELD_CHECK_MS = 8;
/** Messages that are acknowledged together: ten a second. */
const MESSAGES = 2;

/** The part of a worker's global scope (HTML Living Standard §10.2.1.2) that is used here. */
interface Scope {
  postMessage(message: WorkerReport, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
}

/*
 * Receives and decodes the pictures of all lanes beside the page's own thread, so that nothing that the page does delays
 * them. The page takes the newest at its own pace. It draws them itself: without a GPU, drawing in a Chromium worker
 * waits for the page's thread.
 */
const scope = self as unknown as Scope;
const outbox = new Outbox();
const recorder = new RunRecorder();
const decoders = new LaneDecoders(report, (lane) => connection?.send({ kind: 'rejoin', lane }));
let isPageBusy = false;
let handled = 0;
let connection: { send(command: LaneCommand): void } | undefined;

const handlers: ConnectionHandlers<LaneAnnouncement, LanePicture> = {
  parsePicture: parseLanePicture,
  connected() {
    handled = 0;
    decoders.forget();
    recorder.forget();
    outbox.add({ kind: 'connected' });
    report();
  },
  disconnected() {
    outbox.add({ kind: 'disconnected' });
    report();
  },
  announced(announcement) {
    decoders.announced(announcement);
    recorder.announced(announcement, decoders.ids);
    outbox.add({ kind: 'announced', announcement, ids: decoders.ids });
    if (announcement.kind === 'events') acknowledge();
    report();
  },
  picture(picture) {
    recorder.picture(picture);
    decoders.push(picture);
  },
  other(message) {
    if (!isLaneSound(message)) return false;
    const sound = parseLaneSound(message);
    if (sound.ok) decoders.pushSound(sound.value);
    return true;
  },
};

/** Tells the server that this window keeps up. */
function acknowledge(): void {
  if (++handled < MESSAGES) return;
  connection?.send({ kind: 'seen', messages: handled });
  handled = 0;
}

function report(): void {
  if (isPageBusy) return;
  isPageBusy = true;
  const { behindMs, skips, decoded } = decoders;
  const lanes = decoders.takePictures();
  const frames = lanes.flatMap(({ newest }) => (newest ? [newest.frame] : []));
  scope.postMessage({ events: outbox.take(), lanes, behindMs, skips, decoded }, frames);
}

scope.onmessage = ({ data, ports: [port] }) => {
  switch (data.kind) {
    case 'connect':
      connection = port
        ? new PortConnection(port, handlers)
        : new PageConnection({ path: LANE_SOCKET_PATH, ...handlers });
      return;
    case 'send':
      return connection?.send(data.command);
    case 'handled':
      isPageBusy = false;
      if (!outbox.isEmpty || decoders.hasNewest) report();
      return;
    case 'listen':
      return decoders.sounds.listen(data.lane, port);
    case 'hearing':
      return decoders.sounds.hearing(data.mediaUs, data.epochMs - performance.timeOrigin);
    case 'rest':
      decoders.isResting = data.isResting;
      return;
    case 'record': {
      const recording = recorder.recording();
      return port?.postMessage(recording, recording ? [recording.media.buffer] : []);
    }
    default:
      data satisfies never;
  }
};

setInterval(() => {
  decoders.decode();
  decoders.mend();
  report();
}, CHECK_MS);

// Pictures that are held back for the sound have no other event.
setInterval(() => {
  if (decoders.sounds.isHeard && decoders.hasNewest) report();
}, HELD_CHECK_MS);
