import {
  earliest,
  type Instant,
  instant,
  latest,
  type Microseconds,
  microseconds,
  seconds,
} from '../../protocol/base/units.ts';
import { type Direction, opposite } from '../../sim/direction.ts';
import { FlowSimulation } from '../../sim/flow-simulation.ts';
import { CapacityCurve } from '../../sim/link/capacity-curve.ts';
import { Link } from '../../sim/link/link.ts';
import { assertConserved } from '../../sim/link/link-counters.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { SharedPath } from '../../sim/shared-path.ts';
import { linkOf, shortestTransit } from '../cell.ts';
import { START } from '../media-run.ts';
import type { Traces } from '../traces.ts';
import type { FlowDescription } from './flow-description.ts';
import { FlowMeter, jainIndex, type Span } from './flow-meter.ts';
import {
  type FlowPorts,
  type FlowRun,
  type FlowSetting,
  headerBytesOf,
  openFlow,
  startOf,
  stopOf,
} from './flow-run.ts';
import type { FlowFigures, FlowRate } from './flow-tables.ts';

export interface SharedRunOptions extends FlowSetting {
  readonly forward: LinkSpecification;
  readonly back: LinkSpecification;
  readonly flows: readonly FlowDescription[];
  readonly traces: Traces;
}

/** A finished flow, with its figures. */
export interface FinishedFlow {
  readonly description: FlowDescription;
  readonly run: FlowRun;
  readonly figures: FlowFigures;
}

interface SharedRunResult {
  readonly flows: readonly FinishedFlow[];
  readonly rates: readonly FlowRate[];
  readonly datagrams: number;
  readonly simulatedUs: number;
}

/** Runs flows over a pair of links that they share. */
export function runShared(options: SharedRunOptions): SharedRunResult {
  const { flows, endsAt } = options;
  const paths = {
    forward: new SharedPath(new Link(options.forward, 'forward', { reports: 'all' })),
    back: new SharedPath(new Link(options.back, 'back', { reports: 'all' })),
  };
  const warmUp = instant(START + seconds(options.warmUpSeconds));
  const spans = flows.map((flow): Span => {
    return { from: latest(startOf(flow), warmUp), until: latest(warmUp, stopOf(flow, endsAt)) };
  });
  const meters = spans.map((span) => new FlowMeter(span));
  const runs = flows.map((flow) => openFlow(flow, portsOf(flow, paths, options), transitOf(flow, options), options));
  const simulation = new FlowSimulation(
    runs.map(({ flow }) => flow),
    [paths.forward, paths.back],
  );
  // In steps of one second, so that an imbalance is detected close to its cause.
  for (let at = seconds(1); ; at = microseconds(at + seconds(1))) {
    simulation.runUntil(instant(at));
    for (const direction of ['forward', 'back'] as const) takeOutcomes(paths[direction].link, direction);
    for (const { media } of runs) media?.strategy.assertBalanced();
    if (at >= endsAt && runs.every(({ media }) => media === undefined || media.isOver(instant(at)))) break;
  }
  const links = [paths.forward.link, paths.back.link];
  for (const { counters } of links) assertConserved(counters);
  const capacities = { forward: CapacityCurve.of(options.forward), back: CapacityCurve.of(options.back) };
  const jain = { forward: jainOf('forward'), back: jainOf('back') };
  return {
    flows: flows.map((description, index) => {
      const { name, load, direction } = description;
      const present = (at: Instant): number =>
        spans.filter(({ from, until }, other) => flows[other]!.direction === direction && from <= at && at < until)
          .length;
      const figures = meters[index]!.figures(capacities[direction], present);
      const labels = { flow: name, flowLoad: load.kind, flowDirection: direction, jain: jain[direction] };
      return { description, run: runs[index]!, figures: { ...labels, ...figures } };
    }),
    rates: flows.flatMap(({ name, direction }, index) => meters[index]!.rates(name, capacities[direction], endsAt)),
    datagrams: links.reduce((sum, { counters }) => sum + counters.offered, 0),
    simulatedUs: simulation.now,
  };

  function takeOutcomes(link: Link, direction: Direction): void {
    for (let outcome = link.pollOutcome(); outcome; outcome = link.pollOutcome()) {
      const isData = flows[outcome.flow]!.direction === direction;
      if (isData) meters[outcome.flow]!.add(outcome);
      for (const observer of runs[outcome.flow]!.media?.observers ?? []) {
        observer.onDecided?.(outcome.at, isData ? 'forward' : 'back', outcome.datagram, outcome.fate);
      }
    }
  }

  function jainOf(direction: Direction): number | null {
    const those = meters.filter((_, index) => flows[index]!.direction === direction);
    if (those.length < 2) return null;
    const common = those.reduce(
      (span, { measured: { from, until } }) => ({ from: latest(span.from, from), until: earliest(span.until, until) }),
      those[0]!.measured,
    );
    return jainIndex(those.map((meter) => meter.bytesIn(common)));
  }
}

function portsOf(
  { name, load, direction, access }: FlowDescription,
  paths: { readonly forward: SharedPath; readonly back: SharedPath },
  { traces }: SharedRunOptions,
): FlowPorts {
  const headerBytes = headerBytesOf(load);
  const own = access === undefined ? undefined : linkOf(access, traces);
  const before = own && new Link(own, `${name}/forward`, { headerBytes });
  const behind = own && new Link(own, `${name}/back`, { headerBytes });
  return {
    data: paths[direction].open({ headerBytes, before }),
    feedback: paths[opposite(direction)].open({ headerBytes, behind }),
  };
}

function transitOf({ direction, access }: FlowDescription, { forward, back, traces }: SharedRunOptions): Microseconds {
  const shared = shortestTransit(direction === 'forward' ? forward : back);
  return microseconds(shared + (access === undefined ? 0 : shortestTransit(linkOf(access, traces))));
}
