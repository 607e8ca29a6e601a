import { drawBoard } from './board.js';
import { Canvas, randomFrom, rgb, shaded } from './canvas.js';
import { farLayer, GROUND, HEIGHT, middleLayer, nearLayer, skyLayer, WIDTH } from './layers.js';

export const FRAMES_PER_SECOND = 30;
export const FRAMES = 720;
export { HEIGHT, WIDTH };

/** Columns that a layer moves in a picture: the farther, the slower. Whole columns keep it sharp, and cheap to encode. */
const SPEEDS = { sky: 0.25, far: 0.5, middle: 1, near: 2 };
const moved = (frame, speed) => Math.floor(frame * speed);
const widthOf = (speed) => WIDTH + moved(FRAMES, speed) + 1;

/** Distance after which a car comes again, and cars in it. */
const CAR_SPAN = WIDTH + 1_100;
const CARS = 7;
const CAR_COLORS = [rgb(200, 52, 48), rgb(40, 96, 180), rgb(226, 220, 206), rgb(48, 50, 56), rgb(228, 168, 40)];
const GONDOLAS = [rgb(255, 96, 96), rgb(255, 200, 80), rgb(110, 220, 160), rgb(110, 170, 255)];

/** A city at dusk, passed by: houses in three distances, a wheel, a train, cars, and a scoreboard. */
export class CityScene {
  #sky = skyLayer(widthOf(SPEEDS.sky));
  #far = farLayer(widthOf(SPEEDS.far));
  #middle = middleLayer(widthOf(SPEEDS.middle));
  #near = nearLayer(widthOf(SPEEDS.near));
  #cars = makeCars();
  #canvas = new Canvas(WIDTH, HEIGHT);

  /** Returns the picture; its bytes are those of the next one later. */
  draw(frame) {
    const canvas = this.#canvas;
    canvas.lay(this.#sky, moved(frame, SPEEDS.sky));
    canvas.lay(this.#far, moved(frame, SPEEDS.far));
    birds(canvas, frame);
    wheel(canvas, 1_000 - moved(frame, SPEEDS.middle), 400, frame);
    canvas.lay(this.#middle, moved(frame, SPEEDS.middle));
    canvas.lay(this.#near, moved(frame, SPEEDS.near));
    train(canvas, frame);
    for (const car of this.#cars) drawCar(canvas, car, frame);
    drawBoard(canvas, frame, FRAMES_PER_SECOND);
    return canvas;
  }
}

function birds(canvas, frame) {
  const random = randomFrom(5);
  for (let bird = 0; bird < 14; bird++) {
    const x = ((random() * 1_500 + frame * (2.1 + random() * 0.6)) % 1_500) - 100;
    const y = 225 + random() * 70 + Math.sin(frame / 14 + bird) * 8;
    const wing = Math.sin(frame / 3 + bird * 2) * 4;
    for (let part = -7; part <= 7; part++)
      canvas.rectangle(x + part, y - (Math.abs(part) * wing) / 7, 1, 2, rgb(30, 26, 44));
  }
}

/** A Ferris wheel: rim, spokes and gondolas that turn. */
function wheel(canvas, x, y, frame) {
  const [radius, spokes] = [158, 16];
  const turn = (frame / FRAMES_PER_SECOND) * ((2 * Math.PI) / 14);
  const step = (2 * Math.PI) / spokes;
  const steel = rgb(238, 226, 240);
  for (let row = -radius - 4; row <= radius + 4; row++) {
    for (let column = -radius - 4; column <= radius + 4; column++) {
      const far = Math.hypot(column, row);
      if (far > radius + 4) continue;
      const angle = Math.atan2(row, column) - turn;
      const aside = Math.abs(angle / step - Math.round(angle / step)) * step * far;
      const rim = Math.min(Math.abs(far - radius), Math.abs(far - radius * 0.72));
      const line = Math.min(rim, aside + 0.4);
      if (line < 2.2) canvas.mix(Math.round(x + column), y + row, steel, Math.min(1, 2.2 - line) * 0.85);
    }
  }
  for (let spoke = 0; spoke < spokes; spoke++) {
    const [across, down] = [Math.cos(spoke * step + turn) * radius, Math.sin(spoke * step + turn) * radius];
    canvas.disc(x + across, y + down + 8, 11, GONDOLAS[spoke % GONDOLAS.length]);
    canvas.rectangle(x + across - 8, y + down + 4, 16, 5, rgb(40, 36, 56));
  }
  canvas.disc(x, y, 13, rgb(250, 240, 230));
  for (let row = 0; row < GROUND - y; row++) {
    canvas.rectangle(x - 3 - row * 0.34, y + row, 7, 1, rgb(150, 134, 160));
    canvas.rectangle(x - 3 + row * 0.34, y + row, 7, 1, rgb(150, 134, 160));
  }
}

/** A line on pillars in front of the houses, with a train from either side in turn. */
function train(canvas, frame) {
  const deck = 536;
  const shift = moved(frame, SPEEDS.near) % 150;
  for (let x = -shift; x < WIDTH; x += 150) canvas.rectangle(x, deck + 14, 13, GROUND - deck - 8, rgb(66, 70, 82));
  const [cars, length, gap] = [7, 128, 6];
  const whole = cars * (length + gap);
  const round = Math.floor(frame / 240);
  const way = (frame % 240) * 11 - whole;
  const left = round % 2 === 0 ? way : WIDTH - way - whole;
  for (let car = 0; car < cars; car++) {
    const x = left + car * (length + gap);
    canvas.rectangle(x, deck - 43, length, 40, rgb(226, 228, 234));
    canvas.rectangle(x, deck - 16, length, 6, round % 2 === 0 ? rgb(208, 44, 60) : rgb(30, 110, 190));
    canvas.rectangle(x + 4, deck - 3, length - 8, 4, rgb(36, 36, 42));
    for (let pane = 0; pane < 6; pane++) canvas.rectangle(x + 8 + pane * 20, deck - 37, 14, 16, rgb(255, 226, 150));
  }
  canvas.rectangle(0, deck, WIDTH, 14, rgb(84, 88, 100));
  for (let x = -shift; x < WIDTH; x += 30) canvas.rectangle(x, deck + 3, 3, 8, rgb(58, 60, 70));
}

/** Seven cars a lane, at the speed of the lane. */
function makeCars() {
  const random = randomFrom(99);
  return [
    { isNear: false, size: 0.95, speed: 6, y: 656 },
    { isNear: true, size: 1.25, speed: -9, y: 704 },
  ].flatMap((lane) =>
    Array.from({ length: CARS }, (_, index) => {
      const color = CAR_COLORS[(index * 2 + (lane.isNear ? 1 : 0)) % CAR_COLORS.length];
      return { ...lane, color, start: (index + random() * 0.4) * (CAR_SPAN / CARS) };
    }),
  );
}

function drawCar(canvas, { isNear, size, speed, color, start, y }, frame) {
  const x = ((((start + frame * speed) % CAR_SPAN) + CAR_SPAN) % CAR_SPAN) - 300;
  const long = 118 * size;
  const high = 22 * size;
  canvas.veil(Math.round(x + 4), Math.round(y - 3), Math.round(long - 8), 5, rgb(16, 16, 20), 0.6);
  canvas.rectangle(x, y - high - 6, long, high, color);
  canvas.rectangle(x, y - high - 6, long, 3, shaded(color, 34));
  for (let row = 0; row < 18 * size; row++) {
    const inset = (18 * size - row) * 0.7;
    canvas.rectangle(
      x + 22 * size + inset,
      y - high - 6 - 18 * size + row,
      long - 46 * size - 2 * inset,
      1,
      row < 3 ? color : rgb(70, 90, 116),
    );
  }
  for (const wheelAt of [0.2, 0.8]) {
    canvas.disc(x + long * wheelAt, y - 6, 10 * size, rgb(22, 22, 26));
    canvas.disc(x + long * wheelAt, y - 6, 4.5 * size, rgb(150, 150, 158));
  }
  const front = isNear ? x : x + long;
  canvas.glow(front + (isNear ? -16 : 16), y - high + 4, 30 * size, rgb(255, 246, 206), 0.8);
  canvas.rectangle(isNear ? x + long - 6 : x, y - high, 6, 9 * size, rgb(255, 50, 44));
}
