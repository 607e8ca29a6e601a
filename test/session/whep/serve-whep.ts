import { Log } from '../../../io/os/log.ts';
import type { MediaSource } from '../../../io/sources/media-source.ts';
import { HistoryBudget } from '../../../sender/history-budget.ts';
import { HISTORY_BYTES } from '../../../sender/sender-options.ts';
import { WhepServer, type WhepServerOptions } from '../../../session/whep/whep-server.ts';
import { listening, liveOf } from '../serve-live.ts';

/** Serves a source by WHEP until the test has finished. */
export async function serveWhep(
  source: MediaSource,
  { loop, ...own }: Partial<WhepServerOptions> & { readonly loop?: boolean } = {},
) {
  const idle: unknown[] = [];
  const live = liveOf(source, { loop, idle });
  const server = new WhepServer({
    ...{ live, source, host: '127.0.0.1', port: 0, datagramBytesMax: 1_200, receiversMax: 4, bitrate: 1_000_000 },
    historyBudget: new HistoryBudget(HISTORY_BYTES),
    log: new Log({ level: 'error' }),
    ...own,
  });
  await listening(server, live);
  return { server, url: server.urls[0]!, idle };
}
