import type { FullIntraRequest } from '../protocol/rtcp/rtcp.ts';

/** The full intra requests for one stream: which are new, and which repeat one that was carried out. */
export class FullIntraCommands {
  readonly #ssrc: number;
  /** Numbers are those of one source of commands (RFC 5104 §4.3.1.2). */
  #last: { readonly source: number; readonly number: number } | undefined;

  constructor(ssrc: number) {
    this.#ssrc = ssrc;
  }

  /** True for a new command to the stream; one packet has at most one. */
  take({ senderSsrc: source, commands }: FullIntraRequest): boolean {
    const number = commands.find(({ ssrc }) => ssrc === this.#ssrc)?.number;
    if (number === undefined || (this.#last?.source === source && this.#last.number === number)) return false;
    this.#last = { source, number };
    return true;
  }
}
