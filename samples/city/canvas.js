/** Pictures of 32-bit RGBA pixels, in the byte order that ffmpeg calls rgba. */
export class Canvas {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.pixels = new Uint32Array(width * height);
  }

  /** Bytes for ffmpeg. */
  get bytes() {
    return new Uint8Array(this.pixels.buffer);
  }

  rectangle(x, y, width, height, color) {
    const [left, right] = [Math.max(0, Math.round(x)), Math.min(this.width, Math.round(x + width))];
    const [top, bottom] = [Math.max(0, Math.round(y)), Math.min(this.height, Math.round(y + height))];
    for (let row = top; row < bottom; row++) this.pixels.fill(color, row * this.width + left, row * this.width + right);
  }

  /** @param share part of the new color, 0 to 1. */
  mix(x, y, color, share) {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height || share <= 0) return;
    const at = y * this.width + x;
    // A layer has nothing to mix with where it is empty.
    if (this.pixels[at] === 0) return;
    this.pixels[at] = share >= 1 ? color : mixed(this.pixels[at], color, share);
  }

  veil(x, y, width, height, color, share) {
    for (let row = y; row < y + height; row++)
      for (let column = x; column < x + width; column++) this.mix(column, row, color, share);
  }

  /** Disc with a smooth edge. */
  disc(x, y, radius, color, share = 1) {
    for (let row = Math.floor(y - radius - 1); row <= y + radius + 1; row++) {
      for (let column = Math.floor(x - radius - 1); column <= x + radius + 1; column++) {
        const inside = radius + 0.5 - Math.hypot(column - x, row - y);
        if (inside > 0) this.mix(column, row, color, share * Math.min(1, inside));
      }
    }
  }

  /** Light that fades from its center. */
  glow(x, y, radius, color, strength) {
    for (let row = Math.floor(y - radius); row <= y + radius; row++) {
      for (let column = Math.floor(x - radius); column <= x + radius; column++) {
        const far = Math.hypot(column - x, row - y) / radius;
        if (far < 1) this.mix(column, row, color, strength * (1 - far) ** 2);
      }
    }
  }

  /** Copies a layer whose pixels are opaque or empty. @param from its column at the left edge. */
  lay(layer, from) {
    const { width, height, pixels } = this;
    layer.top ??= Math.floor(layer.pixels.findIndex((pixel) => pixel !== 0) / layer.width);
    for (let row = layer.top; row < height; row++) {
      const source = row * layer.width + from;
      const target = row * width;
      for (let column = 0; column < width; column++) {
        const pixel = layer.pixels[source + column];
        if (pixel !== 0) pixels[target + column] = pixel;
      }
    }
  }
}

const clamped = (value) => Math.max(0, Math.min(255, Math.round(value)));

export const rgb = (red, green, blue) =>
  ((255 << 24) | (clamped(blue) << 16) | (clamped(green) << 8) | clamped(red)) >>> 0;

export function mixed(one, other, share) {
  const part = (shift) => ((one >>> shift) & 255) * (1 - share) + ((other >>> shift) & 255) * share;
  return rgb(part(0), part(8), part(16));
}

/** Color made lighter or darker by the same amount in each channel. */
export const shaded = (color, by) => rgb((color & 255) + by, ((color >>> 8) & 255) + by, ((color >>> 16) & 255) + by);

/** Numbers from 0 to 1 (mulberry32): the same for the same seed. */
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Smooth noise from 0 to 1 over the plane. */
export function noiseFrom(seed) {
  const random = randomFrom(seed);
  const size = 256;
  const values = Float64Array.from({ length: size * size }, random);
  const at = (x, y) => values[((y % size) * size + (x % size) + size * size) % (size * size)];
  const smooth = (t) => t * t * (3 - 2 * t);
  return (x, y) => {
    const [left, top] = [Math.floor(x), Math.floor(y)];
    const [across, down] = [smooth(x - left), smooth(y - top)];
    const upper = at(left, top) * (1 - across) + at(left + 1, top) * across;
    const lower = at(left, top + 1) * (1 - across) + at(left + 1, top + 1) * across;
    return upper * (1 - down) + lower * down;
  };
}
