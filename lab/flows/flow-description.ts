import type { Direction } from '../../sim/direction.ts';
import type { CellSource } from '../cell-source.ts';
import type { SimulatedStrategyName } from '../strategies.ts';
import type { StrategyParameters } from '../strategy.ts';

/** A flow of a cell, with everything that affects the result. Absent fields are not part of the cell's id. */
export interface FlowDescription {
  /** Name in tables and plots, different from those of the other flows. */
  readonly name: string;
  readonly load: FlowLoad;
  /** Begin and end, milliseconds since the start of the links; without an end it lasts as long as the cell. */
  readonly startMs: number;
  readonly stopMs?: number;
  /** Direction of its data; its feedback goes the other way. */
  readonly direction: Direction;
  /** Link of its own between its sender and the shared link, in both directions; canonical, with the seed. */
  readonly access?: string;
}

/** Payload of a flow. */
export type FlowLoad =
  /** Frames of a source, by a strategy. */
  | {
      readonly kind: 'media';
      readonly strategy: SimulatedStrategyName;
      readonly parameters: StrategyParameters;
      readonly source: CellSource;
    }
  /** Data over the modelled TCP, as fast as it goes: without end, or transfers of random sizes with pauses. */
  | {
      readonly kind: 'download';
      readonly strategy: TcpStrategyName;
      readonly transferBytes?: readonly [least: number, most: number];
      readonly pauseMs?: number;
    }
  /** Datagrams at a constant rate, payload kilobits per second. */
  | { readonly kind: 'constant'; readonly kbps: number; readonly packetBytes: number };

/** Name of a strategy over the modelled TCP. */
export type TcpStrategyName = 'tcp-reno' | 'tcp-cubic' | 'tcp-bbr';

export const isTcpStrategy = (name: string): name is TcpStrategyName => /^tcp-(reno|cubic|bbr)$/.test(name);

/** Name of a flow's strategy in tables. */
export const flowStrategy = ({ load }: FlowDescription): string =>
  load.kind === 'constant' ? 'constant' : load.strategy;
