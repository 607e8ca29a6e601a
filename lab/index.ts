/** `dropframe/lab`: experiments on the virtual clock, from code. docs/LAB.md defines each figure. */
export type { Cell } from './cell.ts';
export type { CellResult } from './cell-result.ts';
export type { CellFiles, CellSource } from './cell-source.ts';
export { runCell } from './run-cell.ts';
export { type RunScenarioOptions, runScenario, type ScenarioAnswer } from './run-scenario.ts';
export type { ScenarioInput } from './scenario.ts';
export { SIMULATED_STRATEGIES, type SimulatedStrategyName } from './strategies.ts';
export type { SummaryRow } from './tables.ts';
