/** Published ways to protect a stream, in the laboratory only (lab/schemes/). They protect the pictures. */
export const SCHEME_STRATEGIES = ['duplicate', 'rs-block', 'flexfec', 'hairpin', 'tambur'] as const;

/** Strategies on the virtual clock, over one path. */
export const SIMULATED_STRATEGIES = [
  'none',
  'reorder',
  'nack',
  'fec',
  'hybrid',
  'tcp-reno',
  'tcp-cubic',
  'tcp-bbr',
  ...SCHEME_STRATEGIES,
] as const;

/** Our sender and receiver over two paths in parallel, on the virtual clock. */
export const PATH_STRATEGIES = ['paths-duplicate', 'paths-split', 'paths-coded'] as const;

/** Our own strategies and those of TCP in real time: our processes over kernel sockets, through `link --tun` (lab/measured/). */
export const KERNEL_STRATEGIES = [
  'udp-kernel-none',
  'udp-kernel-reorder',
  'udp-kernel-nack',
  'udp-kernel-fec',
  'udp-kernel-hybrid',
  'tcp-kernel-reno',
  'tcp-kernel-cubic',
  'tcp-kernel-bbr',
] as const;

/** All strategy names allowed in a scenario. */
export const STRATEGIES = [...SIMULATED_STRATEGIES, ...PATH_STRATEGIES, ...KERNEL_STRATEGIES] as const;

/** Name of a strategy that runs on the virtual clock. */
export type SimulatedStrategyName = (typeof SIMULATED_STRATEGIES)[number] | PathStrategyName;
export type KernelStrategyName = (typeof KERNEL_STRATEGIES)[number];
/** Name of a strategy over two paths. */
export type PathStrategyName = (typeof PATH_STRATEGIES)[number];
/** Name of a published scheme. */
export type SchemeStrategyName = (typeof SCHEME_STRATEGIES)[number];
/** Name of a strategy, simulated or measured on the kernel. */
export type StrategyName = (typeof STRATEGIES)[number];

export const isKernelStrategy = (name: StrategyName): name is KernelStrategyName =>
  (KERNEL_STRATEGIES as readonly string[]).includes(name);

export const isSchemeStrategy = (name: string): name is SchemeStrategyName =>
  (SCHEME_STRATEGIES as readonly string[]).includes(name);

export const isPathStrategy = (name: string): name is PathStrategyName =>
  (PATH_STRATEGIES as readonly string[]).includes(name);

/** Returns the simulated counterpart of a kernel strategy. */
export const simulatedTwin = (name: KernelStrategyName): SimulatedStrategyName =>
  name.replace(/^udp-kernel-|(?<=^tcp-)kernel-/, '') as SimulatedStrategyName;
