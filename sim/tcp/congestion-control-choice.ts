import { Bbr } from './bbr.ts';
import type { CongestionControl, CongestionControlName } from './congestion-control.ts';
import { Cubic } from './cubic.ts';
import type { Flow } from './flow.ts';
import { Reno } from './reno.ts';

/** @param seed of the random phase in which BBR's cycle starts. */
export function congestionControl(name: CongestionControlName, flow: Flow, seed: number): CongestionControl {
  switch (name) {
    case 'reno':
      return new Reno(flow);
    case 'cubic':
      return new Cubic(flow);
    case 'bbr':
      return new Bbr(flow, seed);
  }
}
