/** On the virtual clock. */
export const SIMULATED_STRATEGIES = [
  'none',
  'reorder',
  'nack',
  'fec',
  'hybrid',
  'tcp-reno',
  'tcp-cubic',
  'tcp-bbr',
] as const;

/** The same, in real time: our own processes over the kernel's sockets, through `link --tun` (lab/measured/). */
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

/** All names that a scenario may use. */
export const STRATEGIES = [...SIMULATED_STRATEGIES, ...KERNEL_STRATEGIES] as const;

export type SimulatedStrategyName = (typeof SIMULATED_STRATEGIES)[number];
export type KernelStrategyName = (typeof KERNEL_STRATEGIES)[number];
export type StrategyName = (typeof STRATEGIES)[number];

export const isKernelStrategy = (name: StrategyName): name is KernelStrategyName =>
  (KERNEL_STRATEGIES as readonly string[]).includes(name);

/** The strategy of the virtual clock that does the same as one of the kernel. */
export const simulatedTwin = (name: KernelStrategyName): SimulatedStrategyName =>
  name.replace(/^udp-kernel-|(?<=^tcp-)kernel-/, '') as SimulatedStrategyName;
