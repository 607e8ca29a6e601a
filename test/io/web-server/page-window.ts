import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { WebSocket } from 'ws';
import type { PageFolders } from '../../../io/web-server/page-files.ts';
import type { Parsed } from '../../../protocol/base/parsed.ts';

const ROOT = join(import.meta.dirname, '../../..');

/** A page's server as seen by windows and requests. */
interface Server {
  readonly url: string;
  readonly viewers: number;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

/** A window as seen by the server. */
export interface Window<Picture> {
  readonly socket: WebSocket;
  readonly pictures: Picture[];
  readonly texts: unknown[];
  readonly closed: Promise<void>;
}

/**
 * Common set-up of the tests of a page's server.
 * @param scripts served scripts; their content does not matter to the server, so no compiler is needed.
 * @param path of the page's WebSocket.
 */
export function usePages<Picture>({
  scripts,
  path,
  parse,
}: {
  readonly scripts: readonly string[];
  readonly path: string;
  readonly parse: (message: Uint8Array) => Parsed<Picture>;
}) {
  const folders = { written: join(ROOT, 'web'), compiled: '' };
  const open: Server[] = [];
  const sockets: WebSocket[] = [];

  beforeAll(() => {
    folders.compiled = mkdtempSync(join(tmpdir(), 'dropframe-pages-'));
    for (const name of scripts) {
      mkdirSync(join(folders.compiled, dirname(name)), { recursive: true });
      writeFileSync(join(folders.compiled, name), `// ${name}\n`);
    }
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.terminate();
    for (const page of open.splice(0)) await page.close();
  });
  afterAll(() => rmSync(folders.compiled, { recursive: true }));

  return {
    folders: folders as PageFolders,
    /** Closed after the test. */
    closing<Page extends Server>(page: Page): Page {
      open.push(page);
      return page;
    },
    /** Terminated after the test. */
    ending(socket: WebSocket): WebSocket {
      sockets.push(socket);
      return socket;
    },
    async viewer(page: Server): Promise<Window<Picture>> {
      const before = page.viewers;
      const origin = page.url.slice(0, -1);
      const socket = this.ending(new WebSocket(`${origin.replace('http', 'ws')}${path}`, { origin }));
      const pictures: Picture[] = [];
      const texts: unknown[] = [];
      socket.on('message', (message: Buffer, isBinary) => {
        if (!isBinary) return void texts.push(JSON.parse(String(message)));
        const picture = parse(new Uint8Array(message));
        if (!picture.ok) throw new Error(picture.malformed);
        pictures.push(picture.value);
      });
      const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
      await new Promise<void>((resolve, reject) => {
        socket.once('open', () => resolve());
        socket.on('error', reject);
      });
      await until(() => page.viewers > before);
      return { socket, pictures, texts, closed };
    },
  };
}

/** Sends a request without the restrictions of a browser. */
export function ask(
  page: Server,
  method: string,
  path: string,
  { headers = {}, body }: { readonly headers?: Record<string, string>; readonly body?: string | Buffer } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(page.url);
    const sent = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Waits for the other side of a socket; the time limit of the test is the bound. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
