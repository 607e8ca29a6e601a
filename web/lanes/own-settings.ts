import type { LaneCommand } from '../../protocol/page/lane-command.ts';
import type { LanesState } from '../../protocol/page/lane-message.ts';
import { parseRunningLink } from '../../sim/link/running-link.ts';
import { type AddressedState, readPageAddress } from './page-address.ts';
import { namesTrace, readTrace } from './page-traces.ts';

type News = Omit<Extract<LaneCommand, { readonly kind: 'settings' }>, 'kind'>;

export interface OwnSettingsHandlers {
  /** Called to change the settings of the server. */
  requested(news: News): void;
  /** @param why one line. */
  refused(why: string): void;
}

/** The settings that a window requests by itself: those of its address, and of a restarted server those of before. */
export class OwnSettings {
  readonly #handlers: OwnSettingsHandlers;
  /** Fragment of the page's address until its settings have been read. */
  #unread: string | undefined;
  #serverStart: number | undefined;
  /** Settings in force on the previous server, until they have been requested of the new one. */
  #before: LanesState | undefined;
  hasTraces = false;

  /** @param fragment that of the page's address. */
  constructor(handlers: OwnSettingsHandlers, fragment: string) {
    this.#handlers = handlers;
    this.#unread = fragment;
  }

  /** True once the settings of the address have been requested. */
  get areRead(): boolean {
    return this.#unread === undefined;
  }

  /** Returns true when the server is another one than before. @param inForce settings of the server of before. */
  follow(serverStart: number, inForce: LanesState | undefined): boolean {
    const isNew = this.#serverStart !== undefined && this.#serverStart !== serverStart;
    this.#serverStart = serverStart;
    if (isNew && this.areRead) this.#before = inForce;
    return isNew;
  }

  /** The address has been changed by hand. */
  readAgain(fragment: string): void {
    this.#unread = fragment;
  }

  /** Requests the settings, once. Returns true when those of the server will change, or may do so once the traces are there. */
  request(present: LanesState): boolean {
    const [unread, before] = [this.#unread, this.#before];
    if (unread !== undefined && namesTrace(unread) && !this.hasTraces) return true;
    this.#unread = undefined;
    this.#before = undefined;
    if (unread !== undefined) return this.#requestAddressed(readPageAddress(unread, present), present);
    return before !== undefined && this.#requestNews(keptSettings(before, present), present);
  }

  /** An address with any fault is ignored as a whole. */
  #requestAddressed({ faults, ...settings }: AddressedState, present: LanesState): boolean {
    if (faults.length === 0) return this.#requestNews(settings, present);
    this.#handlers.refused(`The settings in this address were ignored: ${faults.join('; ')}.`);
    return false;
  }

  #requestNews({ lanes, link, source }: Omit<AddressedState, 'faults'>, present: LanesState): boolean {
    const news = {
      ...(lanes && JSON.stringify(lanes) !== JSON.stringify(present.lanes) && { lanes: [...lanes] }),
      ...(link !== undefined && link !== present.link && { link }),
      ...(source !== undefined && source !== present.source && { source }),
    };
    if (Object.keys(news).length === 0) return false;
    this.#handlers.requested(news);
    return true;
  }
}

/**
 * Returns the settings of before that another server can take: without a link that only the command line can set, and without a
 * source that it does not have, as an uploaded file.
 */
export function keptSettings(
  { lanes, link, source }: Pick<LanesState, 'lanes' | 'link' | 'source'>,
  { sources }: Pick<LanesState, 'sources'>,
): Omit<AddressedState, 'faults'> {
  return { lanes, ...(parseRunningLink(link, readTrace).ok && { link }), ...(sources.includes(source) && { source }) };
}
