import type { AdaptiveControl } from '../../io/sources/adaptive-control.ts';
import type { Instant } from '../../protocol/base/units.ts';
import { KeyFrameRequests } from './key-frame-requests.ts';

/**
 * A receiver whose target is below this share of the median is served below the rate of the stream, with frames
 * dropped, so that it does not slow down the others. Applies from three receivers on: of two, neither is the outlier.
 */
const OUTLIER_SHARE = 1 / 3;
const RECEIVERS_FOR_OUTLIERS = 3;

/**
 * Returns the bit rate of a source that several receivers share: the lowest target, outliers excluded; `undefined` when
 * no receiver has one.
 * @param targets of the active receivers, bits per second; `undefined` where the path shows no limit.
 */
export function sharedTarget(targets: readonly (number | undefined)[]): number | undefined {
  const all = targets.map((target) => target ?? Number.POSITIVE_INFINITY).sort((one, other) => one - other);
  const median = all[all.length >> 1];
  if (median === undefined) return undefined;
  const exceptions = all.length >= RECEIVERS_FOR_OUTLIERS && median !== Number.POSITIVE_INFINITY;
  const lowest = exceptions ? all.find((target) => target >= median * OUTLIER_SHARE)! : all[0]!;
  return lowest === Number.POSITIVE_INFINITY ? undefined : lowest;
}

/** Steers an adaptive source by its receivers' paths and key-frame requests. */
export class SourceSteering {
  readonly #control: AdaptiveControl;
  readonly #requests = new KeyFrameRequests();
  #target: number | undefined;

  constructor(control: AdaptiveControl) {
    this.#control = control;
  }

  /** Bit rate that the receivers' paths carry, bits per second; `undefined` while unlimited. */
  get target(): number | undefined {
    return this.#target;
  }

  /** @param receiver that cannot decode without a key frame. */
  requestKeyFrame(now: Instant, receiver: object): void {
    this.#requests.request(now, receiver);
  }

  /** Passes target and requests on; to be called before each frame. */
  update(now: Instant, targets: readonly (number | undefined)[]): void {
    this.#target = sharedTarget(targets);
    this.#control.setTarget(this.#target ?? this.#control.bitrateMax);
    if (this.#requests.take(now)) this.#control.requestKeyFrame();
  }
}
