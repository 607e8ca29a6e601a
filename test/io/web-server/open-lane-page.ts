import { LanePage, type LanePageOptions } from '../../../io/web-server/lane-page.ts';
import type { usePages } from './page-window.ts';

/** Opens a page of lanes with nothing behind it, until the test has finished. */
export async function openLanePage(
  pages: Pick<ReturnType<typeof usePages>, 'folders' | 'closing'>,
  options: Partial<LanePageOptions> = {},
): Promise<LanePage> {
  const page = await LanePage.open({
    port: 0,
    log: () => {},
    onCommand: () => {},
    greeting: () => [],
    summary: () => ({}),
    capture: () => undefined,
    onScenario: async () => '',
    onUpload: async () => {},
    folders: pages.folders,
    ...options,
  });
  return pages.closing(page);
}
