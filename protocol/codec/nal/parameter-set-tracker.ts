import { equalBytes } from '../../base/equal-bytes.ts';
import type { ParameterSetTracker } from '../codec.ts';

/** Kind of a parameter set, in the order in which a decoder needs the kinds, and its identifier within the kind. */
export interface SetIdentity {
  readonly kind: number;
  readonly id: number;
}

/** Keeps the latest parameter sets of a stream of NAL units. */
export class NalParameterSetTracker implements ParameterSetTracker {
  readonly #identityOf: (nalUnit: Uint8Array) => SetIdentity | undefined;
  /** Identifiers are bounded by the codec, so the number of entries is. */
  readonly #sets = new Map<string, SetIdentity & { readonly set: Uint8Array }>();

  /** @param identityOf returns `undefined` for NAL units that are no parameter sets, and for damaged ones. */
  constructor(identityOf: (nalUnit: Uint8Array) => SetIdentity | undefined) {
    this.#identityOf = identityOf;
  }

  /** Accepts any NAL unit, and keeps a copy of a parameter set. */
  add(nalUnit: Uint8Array): void {
    const identity = this.#identityOf(nalUnit);
    // A copy: a view would retain the buffer that it was read into.
    if (identity !== undefined) this.#sets.set(keyOf(identity), { ...identity, set: nalUnit.slice() });
  }

  /** True when an identical set is already in force under its kind and identifier. */
  holds(nalUnit: Uint8Array): boolean {
    const identity = this.#identityOf(nalUnit);
    if (identity === undefined) return false;
    const known = this.#sets.get(keyOf(identity))?.set;
    return known !== undefined && equalBytes(known, nalUnit);
  }

  /** The sets in order of kind, each kind in order of identifier. */
  sets(): Uint8Array[] {
    return [...this.#sets.values()].sort((a, b) => a.kind - b.kind || a.id - b.id).map(({ set }) => set);
  }
}

const keyOf = ({ kind, id }: SetIdentity): string => `${kind} ${id}`;
