import { type Cell, canonicalLink, formatParameters } from '../cell.ts';
import type { CellSource } from '../cell-source.ts';
import type { Scenario } from '../scenario.ts';
import type { SimulatedStrategyName } from '../strategies.ts';
import type { Traces } from '../traces.ts';
import { type FlowDescription, type FlowLoad, isTcpStrategy } from './flow-description.ts';
import { kindOf, type ScenarioFlow } from './flow-schema.ts';

/** Payload of the datagrams of a constant stream, bytes. */
const PACKET_BYTES = 1_200;

/** A strategy whose flow shares the link with a cell's other flows. */
type Tested = Pick<Cell, 'strategy' | 'parameters'>;

/** The flows of a cell that depend on nothing but the scenario. */
export interface FlowSet {
  /** Strategy under test; `undefined` when the scenario has flows alone. */
  readonly tested: Tested | undefined;
  readonly flows: readonly ScenarioFlow[];
}

/** Returns the flow sets of a scenario: each list of flows, with each strategy in turn. */
export function flowSets({ flows = [] }: Scenario, strategies: readonly Tested[]): FlowSet[] {
  const lists = (Array.isArray(flows[0]) ? flows : [flows]) as readonly (readonly ScenarioFlow[])[];
  const tested = strategies.length > 0 ? strategies : [undefined];
  return tested.flatMap((strategy) => lists.map((list) => ({ tested: strategy, flows: list })));
}

/** Returns strategy, parameters and flows of a cell. */
export function flowsOf(
  { tested, flows }: FlowSet,
  { source, seed, traces }: { readonly source: CellSource; readonly seed: number; readonly traces: Traces },
): Required<Pick<Cell, 'strategy' | 'parameters' | 'flows'>> {
  const described = flows.map((flow): Omit<FlowDescription, 'name'> & { readonly label: string } => ({
    label: flow.name ?? labelOf(loadOf(flow, source)),
    load: loadOf(flow, source),
    startMs: flow.start ?? 0,
    ...(flow.stop !== undefined && { stopMs: flow.stop }),
    direction: flow.direction,
    ...(flow.access !== undefined && { access: canonicalLink(flow.access, seed, traces) }),
  }));
  if (tested) {
    const strategy = tested.strategy as SimulatedStrategyName;
    const load: FlowLoad = { kind: 'media', strategy, parameters: tested.parameters, source };
    described.unshift({ label: labelOf(load), load, startMs: 0, direction: 'forward' });
  }
  const media = described.map(({ load }) => load).find((load) => load.kind === 'media');
  return {
    strategy: media?.strategy ?? 'none',
    parameters: media?.parameters ?? {},
    flows: described.map(({ label, ...rest }, index) => {
      const same = described.filter((other) => other.label === label);
      const number = described.slice(0, index + 1).filter((other) => other.label === label).length;
      return { name: same.length > 1 ? `${label}-${number}` : label, ...rest };
    }),
  };
}

/** Strategy with its parameters. */
const labelOf = (load: FlowLoad): string => {
  if (load.kind === 'constant') return 'constant';
  return load.kind === 'media' ? `${load.strategy} ${formatParameters(load.parameters)}`.trim() : load.strategy;
};

function loadOf(flow: ScenarioFlow, source: CellSource): FlowLoad {
  const { strategy } = flow;
  if (strategy === 'constant') {
    return { kind: 'constant', kbps: flow.kbps!, packetBytes: flow.packetBytes ?? PACKET_BYTES };
  }
  if (kindOf(flow) === 'download' && isTcpStrategy(strategy)) {
    const { transferBytes, pauseSeconds } = flow;
    return {
      kind: 'download',
      strategy,
      ...(transferBytes && { transferBytes: [transferBytes[0]!, transferBytes[1]!] as const }),
      ...(pauseSeconds !== undefined && { pauseMs: pauseSeconds * 1_000 }),
    };
  }
  const { redundancy, unsentBytesMax, giveUpMs, onLoss, rate } = flow;
  const given = Object.entries({ redundancy, unsentBytesMax, giveUpMs, onLoss, rate });
  const parameters = Object.fromEntries(given.filter(([, value]) => value !== undefined));
  return { kind: 'media', strategy, parameters, source };
}
