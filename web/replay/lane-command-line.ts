import type { LaneSettings } from '../../protocol/page/lane-message.ts';

/** Command that starts the page. */
export const COMMAND = 'dropframe demo';

/** Returns text as one word of a shell. */
export const asShellWord = (text: string): string =>
  /^[\w./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/** Returns the command that runs one lane alone over the same link. */
export function laneCommand({ transport, recovery, congestionControl, ...rest }: LaneSettings, link: string): string {
  const { latencyMs, onLoss, follows } = rest;
  const how =
    transport === 'tcp'
      ? ['--transport', 'tcp', '--congestion', congestionControl]
      : ['--transport', 'udp', '--recovery', recovery, '--on-loss', onLoss];
  const rate = follows ? ' # its video follows the path on the page only' : '';
  return `${COMMAND} ${how.join(' ')} --latency ${latencyMs} --link ${asShellWord(link)}${rate}`;
}
