import { strategyLabel, strategyOf } from '../lanes/lane-style.ts';
import { writeAddress } from '../lanes/page-address.ts';
import { COMMAND, laneCommand } from './lane-command-line.ts';
import { made } from './parts.ts';
import type { RunRecord } from './recording.ts';

/** Address of the page where nothing else is said. */
const PAGE = 'http://127.0.0.1:7080/';

/** Instructions for the same run: settings, the page's address, and commands. */
export function reproduction({ state, links }: RunRecord): HTMLElement {
  const { lanes, link, source } = state;
  const code = (text: string) => made('code', {}, text);
  const entry = (term: string, ...content: (Node | string)[]) => [made('dt', {}, term), made('dd', {}, ...content)];
  const changed = links.length > 1 ? ` (changed ${links.length - 1} times before; this is the last one)` : '';
  return made(
    'details',
    { class: 'reproduction' },
    made('summary', {}, 'Settings, and how to run this yourself'),
    made(
      'dl',
      {},
      ...entry('Network', code(link), changed),
      ...entry('Video', source),
      ...entry('Lanes', lanes.map((lane) => `${strategyLabel(strategyOf(lane))}, ${lane.latencyMs} ms`).join(' · ')),
      ...entry('1. Start', code(COMMAND)),
      ...entry('2. Open', code(`${PAGE}${writeAddress(state)}`)),
      ...entry(
        'One lane alone (name the file of the video as well)',
        ...lanes.flatMap((lane, index) => [...(index > 0 ? [made('br')] : []), code(laneCommand(lane, link))]),
      ),
    ),
    made(
      'p',
      { class: 'about' },
      'The network’s seed is part of its text: packet n meets the same fate again, in every lane.',
    ),
  );
}
