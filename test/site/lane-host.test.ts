import { expect, onTestFinished, test, vi } from 'vitest';
import '../../site/lane-host.ts';
import type { FromLaneHost, ToLaneHost } from '../../protocol/page/lane-host-message.ts';

test('a video that comes before the sample waits for it, and is refused with a reason where it does not come', async () => {
  const sent: FromLaneHost[] = [];
  const requests: ((answer: Response) => void)[] = [];
  vi.stubGlobal('postMessage', (message: FromLaneHost) => sent.push(message));
  vi.stubGlobal('fetch', () => new Promise((resolve) => requests.push(resolve)));
  onTestFinished(() => void vi.unstubAllGlobals());
  const post = (data: ToLaneHost, ports: readonly unknown[] = []) =>
    (globalThis as unknown as { onmessage(event: object): void }).onmessage({ data, ports });
  post({ kind: 'watch' }, [{ postMessage: () => {} }]);
  post({ kind: 'play', order: 1, name: 'own.mp4', video: new File([], 'own.mp4') });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(sent).toEqual([]);
  for (const answer of requests) answer(new Response(null, { status: 404 }));
  await vi.waitFor(() => expect(sent).toHaveLength(1));
  expect(sent[0]).toMatchObject({ kind: 'played', order: 1, why: expect.stringContaining('reload the page') });
});
