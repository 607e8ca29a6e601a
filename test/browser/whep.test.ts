import { join } from 'node:path';
import { expect, onTestFinished, vi } from 'vitest';
import { Log } from '../../io/os/log.ts';
import type { MediaSource } from '../../io/sources/media-source.ts';
import { openMediaSource } from '../../io/sources/open-source.ts';
import { UdpRelay } from '../../session/relay/udp-relay.ts';
import { WhepServer, type WhepServerOptions } from '../../session/whep/whep-server.ts';
import { parseLinkSpecification } from '../../sim/link/link-parse.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { clip } from '../interop/clip.ts';
import { isInstalled } from '../interop/programs.ts';
import { SAMPLES } from '../io/sources/media.ts';
import { optional } from '../optional.ts';
import { PATIENCE } from '../patience.ts';
import { serveWhep } from '../session/whep/serve-whep.ts';
import { useBrowser } from './browser.ts';
import { CHROMIUM, HAS_CHROMIUM } from './chromium.ts';
import { FIREFOX, FirefoxTab, HAS_FIREFOX } from './firefox.ts';

const inChromium = optional(`${CHROMIUM} and node-datachannel`, HAS_CHROMIUM && WhepServer.isAvailable);
const withFfmpeg = optional(
  `${CHROMIUM}, node-datachannel and ffmpeg`,
  HAS_CHROMIUM && WhepServer.isAvailable && isInstalled('ffmpeg'),
);
const browser = useBrowser();

const serve = (source: MediaSource, own: Partial<WhepServerOptions> = {}) => serveWhep(source, { loop: true, ...own });

function linkOf(text: string): LinkSpecification {
  const link = parseLinkSpecification(text);
  if (!link.ok) throw new Error(link.malformed);
  return link.value;
}

/** Opens the page of a stream. @param port UDP port that takes the place of the server's in its answer. */
async function watch(url: string, { port, server }: { readonly port?: number; readonly server: WhepServer }) {
  const tab = await browser.context.newPage();
  const faults: string[] = [];
  tab.on('pageerror', (error) => faults.push(error.message));
  // The page keeps its connection to itself.
  await tab.addInitScript(`
    window.RTCPeerConnection = class extends RTCPeerConnection {
      constructor(...options) {
        super(...options);
        window.connection = this;
      }
    };
  `);
  if (port !== undefined) {
    await tab.route(url, async (route) => {
      const response = await route.fetch();
      const body = (await response.text()).replaceAll(` ${server.port} typ host`, ` ${port} typ host`);
      await route.fulfill({ response, body });
    });
  }
  await tab.goto(url);
  const statistics = async (kind: 'video' | 'audio'): Promise<Record<string, number>> => {
    const all = await tab.evaluate('window.connection.getStats().then((stats) => [...stats.values()])');
    const found = (all as { type: string; kind: string }[]).find(
      (each) => each.type === 'inbound-rtp' && each.kind === kind,
    );
    return { ...found } as unknown as Record<string, number>;
  };
  const decoded = async (frames: number): Promise<Record<string, number>> => {
    await vi.waitFor(async () => {
      expect(faults).toEqual([]);
      expect((await statistics('video')).framesDecoded).toBeGreaterThanOrEqual(frames);
    }, PATIENCE);
    return await statistics('video');
  };
  return { tab, statistics, decoded };
}

inChromium('plays the stream on its own page, and frees the place when that is left', async () => {
  const { server, url } = await serve(await clip('counter.h264', 300));
  const { tab, decoded } = await watch(url, { server });
  await decoded(60);
  expect(await tab.evaluate('[video.videoWidth, video.paused]')).toEqual([640, false]);
  await vi.waitFor(async () => expect(await tab.locator('#message').isHidden()).toBe(true), PATIENCE);
  const values = await tab.evaluate(`
    const context = document.createElement('canvas').getContext('2d');
    context.drawImage(video, 0, 0);
    new Set(context.getImageData(0, 0, 300, 150).data).size;
  `);
  expect(values).toBeGreaterThan(20);
  expect(server.sessions).toHaveLength(1);
  await tab.goto('about:blank');
  await vi.waitFor(() => expect(server.sessions).toHaveLength(0), PATIENCE);
  expect(server.totals.players).toBe(1);
});

inChromium('asks for a missing token, and plays once it is in the address', async () => {
  const { server, url } = await serve(await clip('counter.h264', 300), { token: 'four-random-words' });
  const { tab, decoded } = await watch(url, { server });
  const text = () => tab.locator('#message').textContent();
  await vi.waitFor(async () => expect(await text()).toContain('add #TOKEN to the address'), PATIENCE);
  await tab.evaluate("location.hash = 'not-the-words'");
  await vi.waitFor(async () => expect(await text()).toContain('Wrong token'), PATIENCE);
  await tab.evaluate("location.hash = 'four-random-words'");
  await decoded(10);
});

const inFirefox = optional(`${FIREFOX} and node-datachannel`, HAS_FIREFOX && WhepServer.isAvailable);

inFirefox('says to a browser without H.264 what is missing', async () => {
  const { url } = await serve(await clip('counter.h264', 300));
  // A new profile has no OpenH264 yet, and this one does not download it.
  const tab = await FirefoxTab.open(800, 600, { 'media.gmp-manager.updateEnabled': false });
  onTestFinished(() => tab.close());
  await tab.goto(url);
  const text = () => tab.evaluate<string>("document.querySelector('#message').textContent");
  await vi.waitFor(async () => expect(await text()).toContain('does not receive H.264 by WebRTC'), PATIENCE);
});

inChromium('recovers 3 % of lost packets by retransmission', async () => {
  const { server, url } = await serve(await clip('counter.h264', 300));
  const { port } = server;
  const relay = await UdpRelay.open({
    listen: { host: '127.0.0.1', port: 0 },
    to: { host: '127.0.0.1', port },
    link: linkOf('delay=10ms,seed=7'),
    linkBack: linkOf('loss=3%,delay=10ms,seed=7'),
    ...{ clientsMax: 8, idleMs: 60_000, heldBytesMax: 64_000_000, log: new Log({ level: 'error' }) },
  });
  onTestFinished(() => relay.close());
  const { statistics, decoded } = await watch(url, { port: relay.addresses.listen.port, server });
  await decoded(300);
  const { nackCount, retransmittedPacketsReceived, framesDecoded, framesReceived } = await statistics('video');
  expect(nackCount).toBeGreaterThan(0);
  expect(retransmittedPacketsReceived).toBeGreaterThan(0);
  const [session] = server.sessions;
  expect(session?.tracks.get(0)?.statistics.retransmissions).toBeGreaterThan(0);
  // Frames of the last moments are still on their way to the decoder.
  expect(framesDecoded! / framesReceived!).toBeGreaterThan(0.95);
});

withFfmpeg('plays a film with B-frames, which are encoded anew', async () => {
  const { server, url } = await serve(await clip('counter.mp4', 300));
  const { decoded } = await watch(url, { server });
  const { framesDecoded, keyFramesDecoded } = await decoded(45);
  expect(framesDecoded).toBeGreaterThanOrEqual(45);
  expect(keyFramesDecoded).toBeGreaterThanOrEqual(1);
});

withFfmpeg('hears AAC, which is encoded as Opus', async () => {
  const wishes = { encode: 'copy', bitrate: 1_000_000, gop: 30, sound: {}, warn: () => {} } as const;
  const source = await openMediaSource(join(SAMPLES, 'flash.mp4'), wishes);
  onTestFinished(() => source.close());
  expect(source.sound?.description.codecName).toBe('aac');
  const { server, url } = await serve(source);
  const { tab, decoded, statistics } = await watch(url, { server });
  await decoded(30);
  // Without a gesture of the user, pages play no sound.
  await tab.locator('video').click();
  await tab.evaluate('video.muted = false; video.play();');
  await vi.waitFor(async () => {
    const { totalAudioEnergy = 0, packetsReceived = 0 } = await statistics('audio');
    expect(packetsReceived).toBeGreaterThan(20);
    expect(totalAudioEnergy).toBeGreaterThan(0);
  }, PATIENCE);
});

inChromium('a page that finds all places taken tries again, and plays when one is free', async () => {
  const { server, url } = await serve(await clip('counter.h264', 300), { receiversMax: 1 });
  const first = await watch(url, { server });
  await first.decoded(1);
  const second = await browser.context.newPage();
  await second.goto(url);
  await vi.waitFor(async () => expect(await second.textContent('#message')).toContain('trying again'), PATIENCE);
  await first.tab.close();
  await vi.waitFor(async () => expect(await second.isHidden('#message')).toBe(true), PATIENCE);
});
