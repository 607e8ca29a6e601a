import type { MediaSource } from '../io/sources/media-source.ts';
import type { FromLaneHost, ToLaneHost } from '../protocol/page/lane-host-message.ts';
import type { LaneSettings } from '../protocol/page/lane-message.ts';
import { LaneShow } from '../session/lanes/lane-show.ts';
import { parseLinkSpecification } from '../sim/link/link-parse.ts';
import { fetchSound } from './fetched-sound.ts';
import { fetchSource, openRawFile } from './fetched-source.ts';
import { fetchTraces, sampleUrls, soundUrls } from './page-files.ts';
import { type Port, PortStage } from './port-stage.ts';

/** The part of a worker's global scope (HTML Living Standard §10.2.1.2) that is used here. */
interface Scope {
  postMessage(message: FromLaneHost): void;
  onmessage: ((event: { readonly data: ToLaneHost; readonly ports: readonly Port[] }) => void) | null;
}

/** Link and latency of `dropframe demo`. */
const LINK = 'loss=4% delay=30ms±4ms order=kept seed=1';
const LATENCY_MS = 200;
const COMMON = { congestionControl: 'cubic', onLoss: 'freeze', latencyMs: LATENCY_MS } as const;
/** Its lanes, without the one that needs an encoder. */
const LANES: readonly LaneSettings[] = [
  { ...COMMON, transport: 'udp', recovery: 'reorder', onLoss: 'smear' },
  { ...COMMON, transport: 'udp', recovery: 'hybrid' },
  { ...COMMON, transport: 'tcp', recovery: 'none' },
];
/** The page shows each refusal and failure. */
const SILENT = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };
const NO_ENCODER = 'this lane follows the path, which needs an encoder: it runs with npm start on your own machine';

/*
 * The demo in a worker: sender, link, receiver and modelled TCP of all lanes, and the source. Its port leads to the
 * worker that decodes the pictures, which takes it for a server.
 */
const scope = globalThis as unknown as Scope;
/** Videos of the user's own by their input. */
const videos = new Map<string, File>();
let show: LaneShow | undefined;
/** Resolves when the sample has been loaded, or has failed. */
let opening: Promise<void> = Promise.resolve();

async function open(port: Port): Promise<void> {
  const stage = new PortStage(port, (command, reply) => show?.handleCommand(command, reply));
  const link = parseLinkSpecification(LINK);
  const [first] = sampleUrls.keys();
  if (!link.ok || first === undefined) throw new Error('the site has no sample');
  const openInput = (input: string) => {
    const own = videos.get(input);
    return own ? openOwn(own) : openSample(new URL(input));
  };
  try {
    const [readTrace, media] = await Promise.all([fetchTraces(), openInput(sampleUrls.get(first)!)]);
    show = new LaneShow(
      {
        source: { name: first, media },
        inputs: sampleUrls,
        openInput,
        openFollowed: async () => NO_ENCODER,
        lanes: LANES,
        link: link.value,
        loop: true,
        readTrace,
        log: SILENT,
        onEnd: () => {},
      },
      stage,
    );
    for (const announcement of show.greeting()) stage.announce(announcement);
  } catch (error) {
    stage.announce({ kind: 'refused', why: (error as Error).message });
  }
}

/** Opens a sample with its sound; without it where it does not come. */
async function openSample(url: URL): Promise<MediaSource> {
  const soundUrl = soundUrls.get(url.href);
  const [media, sound] = await Promise.all([
    fetchSource(url.pathname.split('/').at(-1)!, url),
    soundUrl && fetchSound(soundUrl),
  ]);
  return sound ? { ...media, sound } : media;
}

/** Opens a video of the user's own. The reader of containers is loaded when it is needed: it is larger than the rest. */
async function openOwn(video: File): Promise<MediaSource> {
  if (/\.(h264|264)$/i.test(video.name)) return openRawFile(video.name, video);
  const reader = (await import(new URL('./own-file.js', import.meta.url).href)) as typeof import('./own-file.ts');
  return reader.openOwnFile(video.name, video);
}

async function play(name: string, video: File): Promise<string | undefined> {
  await opening;
  if (!show) return `${name} cannot be shown, as the lanes did not start: reload the page`;
  const path = `own:${name}`;
  videos.set(path, video);
  try {
    await show.playUpload({ name, path, folder: { path, remove: async () => {} } });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Returns a file of the demo by its path on a server. */
function fileAt(path: string): Uint8Array | undefined {
  if (path === 'summary.json') return new TextEncoder().encode(`${JSON.stringify(show?.summary)}\n`);
  const [, lane] = /^lane-([1-9])\.pcapng$/.exec(path) ?? [];
  return lane === undefined ? undefined : show?.captureFile(Number(lane) - 1);
}

scope.onmessage = ({ data, ports: [port] }) => {
  switch (data.kind) {
    case 'watch':
      if (port) opening = open(port);
      return;
    case 'file':
      return scope.postMessage({ kind: 'file', name: data.name, bytes: fileAt(data.path) });
    case 'play':
      void play(data.name, data.video as File).then((why) => {
        scope.postMessage({ kind: 'played', order: data.order, why });
      });
      return;
    default:
      data satisfies never;
  }
};
