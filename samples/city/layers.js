import { Canvas, mixed, noiseFrom, randomFrom, rgb, shaded } from './canvas.js';

export const WIDTH = 1280;
export const HEIGHT = 720;
/** Row of the pavement, below which is the road. */
export const GROUND = 604;

const WARM = rgb(255, 206, 120);
const COOL = rgb(186, 214, 255);
const DUSK = [
  [0, rgb(26, 34, 78)],
  [0.45, rgb(96, 70, 124)],
  [0.72, rgb(214, 116, 104)],
  [1, rgb(255, 190, 120)],
];

function duskAt(share) {
  const next = Math.max(
    1,
    DUSK.findIndex(([at]) => at >= share),
  );
  const [[from, before], [to, after]] = [DUSK[next - 1], DUSK[next]];
  return mixed(before, after, (share - from) / (to - from));
}

/** Sky with clouds and a low sun, wider than the picture. */
export function skyLayer(width) {
  const canvas = new Canvas(width, HEIGHT);
  const noise = noiseFrom(11);
  for (let y = 0; y < HEIGHT; y++) {
    const sky = duskAt(Math.min(1, y / 560));
    const lit = duskAt(Math.min(1, y / 560 + 0.3));
    for (let x = 0; x < width; x++) {
      const cloud =
        noise(x / 190, y / 46) * 0.55 + noise(x / 70 + 40, y / 20) * 0.28 + noise(x / 26 + 90, y / 9) * 0.17;
      canvas.pixels[y * width + x] = mixed(sky, lit, Math.max(0, Math.min(1, (cloud - 0.46) * 3.4)));
    }
  }
  canvas.glow(930, 440, 240, rgb(255, 226, 150), 0.75);
  canvas.disc(930, 440, 46, rgb(255, 240, 200));
  return canvas;
}

/** A row of houses. @param style sizes and colors; windows have a pitch and a share that is lit. */
function houses(canvas, seed, style) {
  const random = randomFrom(seed);
  const noise = noiseFrom(seed + 1);
  const between = ([low, high]) => Math.round(low + random() * (high - low));
  for (let left = -between(style.width) / 2; left < canvas.width; ) {
    const width = between(style.width);
    const height = between(style.height);
    const wall = mixed(style.walls[Math.floor(random() * style.walls.length)], style.haze, style.distance);
    facade(canvas, { left: Math.round(left), top: GROUND - height, width, wall, noise, style });
    windows(canvas, { left: Math.round(left), top: GROUND - height, width, wall, random, style });
    if (style.roofs) roof(canvas, { left: Math.round(left), top: GROUND - height, width, wall, random });
    left += width + between(style.gap);
  }
}

function facade(canvas, { left, top, width, wall, noise, style }) {
  for (let y = top; y < GROUND; y++) {
    for (let x = Math.max(0, left); x < Math.min(canvas.width, left + width); x++) {
      const mortar = style.bricks && (y % 6 === 0 || (x + (Math.floor(y / 6) % 2) * 7) % 14 === 0) ? -9 : 0;
      const edge = x - left < 3 ? 14 : left + width - x <= 3 ? -14 : 0;
      canvas.pixels[y * canvas.width + x] = shaded(wall, (noise(x / 9, y / 7) - 0.5) * style.texture + mortar + edge);
    }
  }
}

function windows(canvas, { left, top, width, wall, random, style }) {
  const [pitchX, pitchY] = style.pitch;
  const [wide, high] = style.pane;
  const columns = Math.floor((width - pitchX / 2) / pitchX);
  const margin = Math.round((width - columns * pitchX + pitchX - wide) / 2);
  for (let y = top + pitchY; y < GROUND - high - 10; y += pitchY) {
    for (let column = 0; column < columns; column++) {
      const x = left + margin + column * pitchX;
      const lit = random() < style.lit;
      const light = mixed(random() < 0.75 ? WARM : COOL, style.haze, style.distance * 0.6);
      canvas.rectangle(x - 1, y - 1, wide + 2, high + 2, shaded(wall, -16));
      canvas.rectangle(x, y, wide, high, lit ? shaded(light, -random() * 60) : shaded(wall, -28));
      if (wide > 8) canvas.rectangle(x + wide / 2, y, 1, high, shaded(wall, -20));
    }
  }
}

function roof(canvas, { left, top, width, wall, random }) {
  canvas.rectangle(left - 3, top - 5, width + 6, 6, shaded(wall, 18));
  if (random() < 0.6) {
    const x = left + width * (0.2 + random() * 0.5);
    canvas.rectangle(x, top - 27, 26, 22, shaded(wall, -12));
    canvas.rectangle(x + 3, top - 31, 20, 4, shaded(wall, 10));
  }
  if (random() < 0.5) canvas.rectangle(left + width * 0.8, top - 46, 2, 41, shaded(wall, -25));
}

export function farLayer(width) {
  const canvas = new Canvas(width, HEIGHT);
  houses(canvas, 21, {
    ...{ width: [34, 92], height: [120, 330], gap: [-8, 10], walls: [rgb(70, 62, 98), rgb(60, 66, 104)] },
    ...{ haze: rgb(190, 118, 122), distance: 0.34, texture: 5, bricks: false, roofs: false },
    ...{ pitch: [8, 11], pane: [3, 5], lit: 0.3 },
  });
  return canvas;
}

export function middleLayer(width) {
  const canvas = new Canvas(width, HEIGHT);
  houses(canvas, 35, {
    ...{ width: [90, 170], height: [130, 300], gap: [0, 46] },
    ...{ walls: [rgb(62, 54, 78), rgb(80, 58, 66), rgb(48, 60, 84)] },
    ...{ haze: rgb(150, 96, 116), distance: 0.14, texture: 16, bricks: false, roofs: true },
    ...{ pitch: [17, 22], pane: [9, 12], lit: 0.42 },
  });
  return canvas;
}

const SIGNS = [rgb(255, 84, 112), rgb(70, 220, 200), rgb(255, 190, 60), rgb(140, 150, 255)];

export function nearLayer(width) {
  const canvas = new Canvas(width, HEIGHT);
  houses(canvas, 52, {
    ...{ width: [150, 270], height: [84, 190], gap: [30, 150] },
    ...{ walls: [rgb(116, 62, 50), rgb(92, 74, 62), rgb(70, 72, 82), rgb(128, 84, 56)] },
    ...{ haze: rgb(120, 80, 90), distance: 0.04, texture: 22, bricks: true, roofs: true },
    ...{ pitch: [31, 38], pane: [17, 22], lit: 0.5 },
  });
  road(canvas);
  return canvas;
}

function road(canvas) {
  const random = randomFrom(77);
  const noise = noiseFrom(78);
  for (let y = GROUND; y < HEIGHT; y++) {
    for (let x = 0; x < canvas.width; x++) {
      const pavement = y < GROUND + 14;
      const base = pavement ? rgb(128, 116, 112) : rgb(58, 57, 66);
      const joint = pavement && x % 44 === 0 ? -26 : 0;
      canvas.pixels[y * canvas.width + x] = shaded(base, (noise(x / 5, y / 2.5) - 0.5) * 26 + joint);
    }
  }
  for (let x = 0; x < canvas.width; x += 96) canvas.rectangle(x, 664, 48, 4, rgb(214, 204, 170));
  for (let x = 60; x < canvas.width; x += 230) {
    const sign = SIGNS[Math.floor(random() * SIGNS.length)];
    canvas.rectangle(x, GROUND - 78, 3, 80, rgb(40, 40, 46));
    canvas.rectangle(x - 12, GROUND - 82, 27, 5, rgb(40, 40, 46));
    canvas.glow(x + 1, GROUND - 74, 15, rgb(255, 232, 170), 0.95);
    canvas.rectangle(x + 92, GROUND - 30, 62, 15, sign);
    for (let letter = 0; letter < 6; letter++)
      canvas.rectangle(x + 97 + letter * 9, GROUND - 26, 6, 7, shaded(sign, -120));
  }
}
