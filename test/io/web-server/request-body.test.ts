import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { BodyStalled, saveBody } from '../../../io/web-server/request-body.ts';

/** Sends a body's beginning and, on request, its end; returns the result of saving it with this time limit of a stall. */
async function saved(
  start: Buffer,
  end: Buffer | undefined,
  stallMs: number,
): Promise<{ path: string; error: unknown }> {
  const folder = await mkdtemp(join(tmpdir(), 'dropframe-body-'));
  const path = join(folder, 'body');
  let settle: (error: unknown) => void = () => {};
  const outcome = new Promise<unknown>((resolve) => {
    settle = resolve;
  });
  const server = createServer((incoming: IncomingMessage, response) => {
    void saveBody(incoming, path, 1_000_000, stallMs)
      .then(
        () => undefined,
        (error: unknown) => error,
      )
      .then((error) => {
        response.end();
        settle(error);
      });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const outgoing = request({ port, host: '127.0.0.1', method: 'POST' });
  outgoing.on('error', () => {});
  outgoing.write(start);
  if (end) outgoing.end(end);
  onTestFinished(async () => {
    outgoing.destroy();
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });
  return { path, error: await outcome };
}

test('a complete body is saved', async () => {
  const { path, error } = await saved(Buffer.alloc(200_000, 1), Buffer.alloc(100, 2), 60_000);
  expect(error).toBeUndefined();
  expect((await readFile(path)).length).toBe(200_100);
});

test('a body that stalls is given up', async () => {
  const { error } = await saved(Buffer.alloc(70_000, 1), undefined, 100);
  expect(error).toBeInstanceOf(BodyStalled);
});
