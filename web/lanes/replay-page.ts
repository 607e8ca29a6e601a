import { readRecording } from '../replay/recording-text.ts';
import { ReplayView } from '../replay/replay-view.ts';
import { MEDIA_ID, RECORD_ID } from '../replay/shared-page.ts';

export { sharedPage } from '../replay/shared-page.ts';
/*
 * The replay: loaded by the page of the lanes when it is opened, and inside of every shared page, where it begins by
 * itself.
 */
export { ReplayView };

async function openShared(record: string, media: string, place: HTMLElement): Promise<void> {
  try {
    const view = new ReplayView(await readRecording({ record, media }));
    place.replaceChildren(view.element);
    addEventListener('keydown', (event) => {
      const isOutside = !(event.target instanceof Node && view.element.contains(event.target));
      const isPlain = !event.ctrlKey && !event.altKey && !event.metaKey;
      if (isOutside && isPlain && view.handleKey(event)) event.preventDefault();
    });
    Object.defineProperty(window, 'dropframe', { value: { replay: view } });
  } catch (error) {
    place.textContent = `The recording in this file cannot be read: ${(error as Error).message}`;
  }
}

const [record, media, place] = [RECORD_ID, MEDIA_ID, 'replay'].map((id) => document.getElementById(id));
if (record && media && place) void openShared(record.textContent ?? '', media.textContent ?? '', place);
