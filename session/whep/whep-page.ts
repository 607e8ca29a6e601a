import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { Failure } from '../../io/os/failure.ts';
import { pageFolders } from '../../io/web-server/page-files.ts';

/** The page that plays the stream in a browser: one file with its style and script inside. */
export class WhepPage {
  readonly #body: Buffer;
  readonly #policy: string;

  private constructor(body: Buffer) {
    this.#body = body;
    const [script, style] = ['script', 'style'].map((tag) => hashOf(body.toString('utf8'), tag));
    this.#policy =
      `default-src 'none'; script-src ${script}; style-src ${style}; connect-src 'self'; media-src blob: mediastream:; img-src data:; ` +
      "base-uri 'none'; form-action 'none'; frame-ancestors 'self'";
  }

  /** @throws {Failure} when the page is not there. */
  static async read(): Promise<WhepPage> {
    const file = join(pageFolders().written, 'watch.html');
    try {
      return new WhepPage(await readFile(file));
    } catch (error) {
      throw new Failure(`the page for browsers cannot be read: ${file}`, 1, { cause: error });
    }
  }

  answer(request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Length': this.#body.length,
      'Content-Security-Policy': this.#policy,
      'Referrer-Policy': 'no-referrer',
    });
    response.end(request.method === 'HEAD' ? undefined : this.#body);
  }
}

/** Hash of the page's only element of this name, as a source of a content security policy. */
function hashOf(page: string, tag: string): string {
  const content = new RegExp(`<${tag}[^>]*>([\\s\\S]*?)</${tag}>`).exec(page)?.[1] ?? '';
  return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
}
