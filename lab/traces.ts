/** Contents of files named by links (`trace=`, `losstrace=`), by their names in the scenario. */
export type Traces = ReadonlyMap<string, string>;
