/** Samples on each side of an output sample that it is made of. */
const REACH = 16;
const TAPS = 2 * REACH;
/** Phases of the kernel between two samples; between them it is interpolated (error below −90 dB). */
const PHASES = 256;
/** Shape of the Kaiser window: side lobes below −80 dB, flat up to 20 kHz at 48,000 samples per second. */
const KAISER_BETA = 8;

let kernel: Float32Array | undefined;

/**
 * Reads samples at another rate than they come, by at most a thousandth: band-limited interpolation with a windowed sinc.
 * Until the first correction, samples pass unchanged and without delay.
 */
export class SoundStretch {
  /** Last samples of each channel that later output still needs. */
  #kept: Float32Array[] = [];
  /** Place of the next output sample, in samples from the first one that is kept. */
  #at = 0;
  #isActive = false;

  /** Forgets the samples so far: what comes next does not continue them. */
  reset(): void {
    this.#kept = [];
    this.#isActive = false;
  }

  /**
   * Returns samples for the loudspeaker, and the place of the first of them in samples from the beginning of the input:
   * negative when it belongs to earlier input.
   * @param ratio input samples for each output sample.
   */
  process(input: readonly Float32Array[], ratio: number): { readonly channels: Float32Array[]; readonly from: number } {
    const length = input[0]?.length ?? 0;
    if (this.#kept.length !== input.length) {
      this.#kept = input.map(() => new Float32Array(TAPS));
      this.#at = TAPS;
    }
    if (!this.#isActive && ratio === 1) {
      this.#keep(input, length);
      this.#at = TAPS;
      return { channels: [...input], from: 0 };
    }
    this.#isActive = true;
    const from = this.#at - TAPS;
    // The last sample that can be made has `REACH` samples behind it.
    const count = Math.max(0, Math.ceil((TAPS + length - REACH - this.#at) / ratio));
    const channels = input.map((samples, index) => this.#interpolate(join(this.#kept[index]!, samples), count, ratio));
    this.#at += count * ratio - length;
    this.#keep(input, length);
    return { channels, from };
  }

  #keep(input: readonly Float32Array[], length: number): void {
    this.#kept = input.map((samples, index) => join(this.#kept[index]!, samples).slice(length));
  }

  #interpolate(samples: Float32Array, count: number, ratio: number): Float32Array {
    kernel ??= makeKernel();
    const output = new Float32Array(count);
    for (let index = 0; index < count; index++) {
      const at = this.#at + index * ratio;
      const whole = Math.floor(at);
      const phase = (at - whole) * PHASES;
      const row = Math.floor(phase) * TAPS;
      const share = phase - Math.floor(phase);
      let sum = 0;
      for (let tap = 0; tap < TAPS; tap++) {
        const weight = kernel[row + tap]!;
        sum += samples[whole - REACH + 1 + tap]! * (weight + (kernel[row + TAPS + tap]! - weight) * share);
      }
      output[index] = sum;
    }
    return output;
  }
}

/** Weights of the samples around an output sample, for each phase and the one after the last. */
function makeKernel(): Float32Array {
  const weights = new Float32Array((PHASES + 1) * TAPS);
  for (let phase = 0; phase <= PHASES; phase++) {
    for (let tap = 0; tap < TAPS; tap++) {
      const away = tap - REACH + 1 - phase / PHASES;
      weights[phase * TAPS + tap] = sinc(away) * kaiser(away / REACH);
    }
  }
  return weights;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** @param x −1 to 1. */
const kaiser = (x: number): number =>
  Math.abs(x) >= 1 ? 0 : bessel(KAISER_BETA * Math.sqrt(1 - x * x)) / bessel(KAISER_BETA);

/** Modified Bessel function of the first kind, order 0, by its series. */
function bessel(x: number): number {
  let [sum, term] = [1, 1];
  for (let k = 1; term > sum * 1e-12; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function join(before: Float32Array, after: Float32Array): Float32Array {
  const joined = new Float32Array(before.length + after.length);
  joined.set(before);
  joined.set(after, before.length);
  return joined;
}
