import { DUPLICATE } from './schemes/duplicate.ts';
import { FLEXFEC } from './schemes/flexfec.ts';
import { HAIRPIN } from './schemes/hairpin.ts';
import { RS_BLOCK } from './schemes/rs-block.ts';
import { TAMBUR } from './schemes/tambur.ts';
import type { SimulatedStrategyName } from './strategies.ts';
import type { StrategyBuilder } from './strategy.ts';
import { tcpStrategy } from './tcp-strategy.ts';
import { pathStrategy, schemeStrategy, udpStrategy } from './udp-strategy.ts';

/** Builders of the simulated strategies. */
const BUILDERS: { readonly [Name in SimulatedStrategyName]: StrategyBuilder } = {
  none: udpStrategy('none'),
  reorder: udpStrategy('reorder'),
  nack: udpStrategy('nack'),
  fec: udpStrategy('fec'),
  hybrid: udpStrategy('hybrid'),
  'tcp-reno': tcpStrategy('reno'),
  'tcp-cubic': tcpStrategy('cubic'),
  'tcp-bbr': tcpStrategy('bbr'),
  duplicate: schemeStrategy(DUPLICATE),
  'rs-block': schemeStrategy(RS_BLOCK),
  flexfec: schemeStrategy(FLEXFEC),
  hairpin: schemeStrategy(HAIRPIN),
  tambur: schemeStrategy(TAMBUR),
  'paths-duplicate': pathStrategy('paths-duplicate'),
  'paths-split': pathStrategy('paths-split'),
  'paths-coded': pathStrategy('paths-coded'),
};

export const strategyBuilder = (name: SimulatedStrategyName): StrategyBuilder => BUILDERS[name];
