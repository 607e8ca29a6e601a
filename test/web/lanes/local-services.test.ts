import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { FromLaneHost, ToLaneHost } from '../../../protocol/page/lane-host-message.ts';

/** As it is used here: the types of pages are not those of Node. */
interface Services {
  readonly port: { close(): void };
  play(video: File): Promise<void>;
}
const path = new URL('../../../web/lanes/local-services.ts', import.meta.url).href;
const { LocalServices } = (await import(path)) as {
  readonly LocalServices: new (failed: (why: string) => void) => Services;
};

/** A worker that does nothing by itself. */
class IdleWorker {
  static last: IdleWorker;
  readonly received: ToLaneHost[] = [];
  onmessage: ((event: { readonly data: FromLaneHost }) => void) | undefined;
  onerror: ((event: { readonly message?: string }) => void) | undefined;
  onmessageerror: (() => void) | undefined;

  constructor() {
    IdleWorker.last = this;
  }

  postMessage(message: ToLaneHost): void {
    this.received.push(message);
  }
}

beforeEach(() => {
  vi.stubGlobal('Worker', IdleWorker);
  vi.stubGlobal('document', { addEventListener: () => {} });
});

function openServices() {
  onTestFinished(() => void vi.unstubAllGlobals());
  const failures: string[] = [];
  const services = new LocalServices((why) => failures.push(why));
  onTestFinished(() => services.port.close());
  return { services, failures, worker: IdleWorker.last };
}

test('gives each of two videos its own answer, in whatever order they come', async () => {
  const { services, worker } = openServices();
  const [first, second] = [services.play(new File([], 'a.mp4')), services.play(new File([], 'b.mp4'))];
  const orders = worker.received.flatMap((message) => (message.kind === 'play' ? [message.order] : []));
  worker.onmessage?.({ data: { kind: 'played', order: orders[1]!, why: undefined } });
  worker.onmessage?.({ data: { kind: 'played', order: orders[0]!, why: 'a.mp4 is no video' } });
  await expect(second).resolves.toBeUndefined();
  await expect(first).rejects.toThrow('a.mp4 is no video');
});

test('says which script failed, and ends what waits for it', async () => {
  const { services, failures, worker } = openServices();
  const playing = services.play(new File([], 'a.mp4'));
  worker.onerror?.({});
  worker.onmessageerror?.();
  await expect(playing).rejects.toThrow('lane-host.js could not be loaded. Reload the page.');
  expect(failures).toEqual([
    'lane-host.js could not be loaded. Reload the page.',
    'lane-host.js sent a message that this browser cannot read. Reload the page.',
  ]);
});
