import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseHostAndPort } from '../../io/net/host-and-port.ts';
import { Failure } from '../../io/os/failure.ts';
import { readForeignTrace } from '../../lab/capture/foreign-trace.ts';
import { parseScenario } from '../../lab/scenario.ts';
import { readSealedJson, sealedJson } from '../../lab/store/sealed-json.ts';
import { parseLaneCommand } from '../../protocol/page/lane-command.ts';
import { formatLinkSpecification } from '../../sim/link/link-format.ts';
import { parseLinkSpecification } from '../../sim/link/link-parse.ts';
import { parseLossBitmap } from '../../sim/link/loss/loss-bitmap.ts';
import { parsePathTrace } from '../../sim/link/loss/path-trace.ts';
import { parseNetemParameters } from '../../sim/link/netem/netem-parameters.ts';
import { parseCapacityTrace } from '../../sim/link/stages/capacity-trace.ts';
import type { Chance } from '../chance.ts';
import { hold, type Observed } from '../fuzz-target.ts';
import { mutateBytes } from '../mutate-bytes.ts';
import { mutateJson, mutateText } from '../mutate-text.ts';
import { SCENARIOS, TRACE } from '../sample-files.ts';
import { textTarget } from './text-target.ts';

const encoder = new TextEncoder();

const LINKS = [
  'loss=3% burst=2 delay=30ms',
  'rate=2mbit delay=20ms queue=500ms; back delay=20ms',
  'delay=30ms jitter=4ms dist=normal order=kept duplicate=1% reorder=2% corrupt=1% seed=7',
  'loss=5% step=frame, outage at=3s for=500ms',
  'preset=wifi-lossy',
  'netem loss gemodel 1% 10% 70% 0.1% delay 30ms 5ms 25% distribution normal rate 2mbit',
  'ge(p=1%,r=30%) delay=10ms mtu=1400',
];

/** The one-line form of a link; a link that is parsed and formatted again is equivalent. */
export const linkTarget = textTarget({
  name: 'link',
  seeds: LINKS,
  read: (text, observed) => {
    const link = parseLinkSpecification(text);
    if (!link.ok) return observed.reason(link.malformed);
    const written = formatLinkSpecification(link.value);
    observed.reason(written);
    const again = parseLinkSpecification(written);
    hold(again.ok, `a link that was written is understood: '${written}'`);
    hold(formatLinkSpecification(again.value) === written, `a link is written the same way twice: '${written}'`);
  },
});

export const netemTarget = textTarget({
  name: 'netem',
  seeds: [
    'loss gemodel 1% 10% 70% 0.1%',
    'delay 30ms 5ms 25% distribution normal',
    'rate 2mbit limit 1000 slot 20ms 40ms',
  ],
  read: (text, observed) => {
    const parameters = parseNetemParameters(text);
    observed.reason(parameters.ok ? Object.keys(parameters.value).join() : parameters.malformed);
  },
});

export const traceTarget = textTarget({
  name: 'traces',
  seeds: [
    readFileSync(TRACE, 'utf8').slice(0, 2_000),
    '0110 0001\n1',
    '1\n2\n2\n10\n',
    '0 5.5\n10 lost\n20 6\n',
    '8Mbps 24ms 0.02\n',
  ],
  read: (text, observed) => {
    const capacity = parseCapacityTrace('x', text);
    observed.reason(capacity.ok ? 'capacity' : capacity.malformed);
    const bitmap = parseLossBitmap('x', text);
    observed.reason(bitmap.ok ? 'bitmap' : bitmap.malformed);
    const path = parsePathTrace('x', text);
    observed.reason(path.ok ? 'path' : path.malformed);
    const foreign = readForeignTrace(text, 'down');
    observed.reason(foreign.ok ? foreign.value.format : foreign.malformed);
  },
});

export const addressTarget = textTarget({
  name: 'addresses',
  seeds: ['192.0.2.1:7000', '[fe80::1%25eth0]:7000', 'localhost', '[::1]', 'example.org:0'],
  read: (text, observed) => {
    const address = parseHostAndPort(text, 7_000);
    observed.see(address ? 'address' : 'none');
    if (address) hold(address.port >= 0 && address.port <= 65_535, 'a port has 16 bits');
  },
});

/** Commands of the page over its WebSocket. */
export const laneCommandTarget = textTarget({
  name: 'page-commands',
  seeds: [
    '{"kind":"settings","lanes":[{"transport":"udp","recovery":"hybrid","congestionControl":"bbr","latencyMs":200,"onLoss":"freeze"}],"link":"loss=3% delay=30ms","source":"sample"}',
    '{"kind":"drop","packets":5}',
    '{"kind":"freeze","milliseconds":500}',
    '{"kind":"restart"}',
  ],
  mutate: mutateJson,
  read: (text, observed) => observed.see(parseLaneCommand(text)?.kind ?? 'none'),
});

const failures = (work: () => unknown, observed: Observed): void => {
  try {
    work();
    observed.see('read');
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    observed.reason(error.message);
  }
};

export const scenarioTarget = textTarget({
  name: 'scenarios',
  seeds: readdirSync(SCENARIOS)
    .filter((name) => name.endsWith('.json'))
    .map((name) => readFileSync(join(SCENARIOS, name), 'utf8')),
  mutate: mutateJson,
  read: (text, observed) =>
    failures(() => parseScenario(text, 'scenario.json', () => ({ ok: false, malformed: 'no such file' })), observed),
});

/** A cell that somebody has edited, with a seal that fits. */
function resealed(bytes: Uint8Array, chance: Chance): Uint8Array {
  try {
    const { sha256: _, ...value } = JSON.parse(Buffer.from(bytes).toString('utf8')) as { readonly sha256?: unknown };
    const changed = JSON.parse(Buffer.from(mutateJson(encoder.encode(JSON.stringify(value)), chance)).toString('utf8'));
    return encoder.encode(sealedJson(typeof changed === 'object' && changed !== null ? changed : { changed }));
  } catch {
    return mutateText(bytes, chance);
  }
}

/** Cells of a result folder, as an interrupted run or a disk leaves them. */
export const cellTarget = textTarget({
  name: 'cells',
  seeds: [sealedJson({ frames: { total: 3, span: Number.POSITIVE_INFINITY }, name: 'x' })],
  mutate: (bytes, chance) => (chance.oneIn(2) ? mutateBytes(bytes, chance) : resealed(bytes, chance)),
  read: (text, observed) => observed.see(readSealedJson(text) ? 'read' : 'rejected'),
});
