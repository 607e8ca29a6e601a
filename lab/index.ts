/** `dropframe/lab`: experiments on the virtual clock, from code. docs/LAB.md defines each figure. */
export type { Cell } from './cell.ts';
export type { Bursts, CellResult } from './cell-result.ts';
export type { CellFiles, CellPictures, CellSource } from './cell-source.ts';
export type { FlowDescription, FlowLoad, TcpStrategyName } from './flows/flow-description.ts';
export type { FlowFigures, FlowRate, FlowRow, FlowTables } from './flows/flow-tables.ts';
export type { FrameTable, FrameTime } from './frame-table.ts';
export type { Machine } from './machine.ts';
export type { PackedFiles, PackedUnits } from './packed-units.ts';
export type { PathObserver } from './path-observer.ts';
export type { SecondPathFigures } from './paths/second-path.ts';
export { runCell } from './run-cell.ts';
export { type RunScenarioOptions, runScenario, type ScenarioAnswer } from './run-scenario.ts';
export type { ScenarioInput } from './scenario.ts';
export type { CellSound } from './sound/cell-sound.ts';
export type { SoundFigures } from './sound/sound-figures.ts';
export {
  PATH_STRATEGIES,
  type PathStrategyName,
  SIMULATED_STRATEGIES,
  type SimulatedStrategyName,
  type StrategyName,
} from './strategies.ts';
export type { StrategyParameters } from './strategy.ts';
export type { FrameOutcome, FrameRecord, Mechanism, SummaryRow } from './tables.ts';
export type { Traces } from './traces.ts';
