import type { MessageBar } from './message-bar.ts';
import { withoutTour } from './page-address.ts';

/** Copies the address of the page, which has all settings. */
export async function copyLink(message: MessageBar): Promise<void> {
  try {
    await navigator.clipboard.writeText(withoutTour(location.href));
    message.show('The link is copied: it opens these lanes, this network and this video.', 'information');
  } catch {
    message.show('This browser does not let the page copy. The link is in the address bar.', 'error');
  }
}
