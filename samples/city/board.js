import { rgb } from './canvas.js';

/** Letters of 5 × 7 dots, a row per line. */
const LETTERS = {
  A: '01110 10001 10001 11111 10001 10001 10001',
  B: '11110 10001 10001 11110 10001 10001 11110',
  C: '01111 10000 10000 10000 10000 10000 01111',
  E: '11111 10000 10000 11110 10000 10000 11111',
  F: '11111 10000 10000 11110 10000 10000 10000',
  H: '10001 10001 10001 11111 10001 10001 10001',
  I: '11111 00100 00100 00100 00100 00100 11111',
  M: '10001 11011 10101 10101 10001 10001 10001',
  O: '01110 10001 10001 10001 10001 10001 01110',
  R: '11110 10001 10001 11110 10100 10010 10001',
  T: '11111 00100 00100 00100 00100 00100 00100',
  Y: '10001 10001 01010 00100 00100 00100 00100',
};
/** Segments of a digit: top, upper left, upper right, middle, lower left, lower right, bottom. */
const DIGITS = [
  '1110111',
  '0010010',
  '1011101',
  '1011011',
  '0111010',
  '1101011',
  '1101111',
  '1010010',
  '1111111',
  '1111011',
];
const AMBER = rgb(255, 186, 54);
const GREEN = rgb(120, 255, 170);
const WHITE = rgb(236, 236, 240);
const DARK = rgb(38, 36, 44);

function word(canvas, text, x, y, dot, color) {
  for (const [place, letter] of [...text].entries()) {
    for (const [row, dots] of (LETTERS[letter] ?? '').split(' ').entries()) {
      for (const [column, on] of [...dots].entries()) {
        if (on === '1') canvas.rectangle(x + (place * 6 + column) * dot, y + row * dot, dot, dot, color);
      }
    }
  }
}

/** Draws a digit of seven segments, those that are off as well. */
function digit(canvas, value, x, y, height, color) {
  const [width, thick] = [height * 0.56, Math.round(height * 0.13)];
  const half = (height - thick) / 2;
  const bars = [
    [thick * 0.6, 0, width - thick * 1.2, thick],
    [0, thick * 0.6, thick, half - thick * 0.2],
    [width - thick, thick * 0.6, thick, half - thick * 0.2],
    [thick * 0.6, half, width - thick * 1.2, thick],
    [0, half + thick * 0.6, thick, half - thick * 0.2],
    [width - thick, half + thick * 0.6, thick, half - thick * 0.2],
    [thick * 0.6, height - thick, width - thick * 1.2, thick],
  ];
  for (const [segment, [left, top, wide, high]] of bars.entries()) {
    canvas.rectangle(x + left, y + top, wide, high, DIGITS[value][segment] === '1' ? color : DARK);
  }
}

function number(canvas, text, x, y, height, color) {
  for (const [place, character] of [...text].entries())
    digit(canvas, Number(character), x + place * height * 0.74, y, height, color);
}

/** Scoreboard: the score, the clock in seconds and tenths, and the number of the picture. */
export function drawBoard(canvas, frame, framesPerSecond) {
  const seconds = Math.floor(frame / framesPerSecond);
  const score = [seconds >= 8 ? 2 : 1, seconds >= 17 ? 2 : 1];
  const scored = [8, 17].some((at) => seconds === at) && frame % 10 < 5;
  canvas.veil(330, 22, 620, 168, rgb(10, 10, 16), 0.82);
  canvas.rectangle(330, 22, 620, 3, AMBER);
  word(canvas, 'CITY', 358, 42, 4, WHITE);
  digit(canvas, score[0], 478, 38, 36, scored && seconds === 8 ? WHITE : AMBER);
  word(canvas, 'HARBOR', 776, 42, 4, WHITE);
  digit(canvas, score[1], 728, 38, 36, scored && seconds === 17 ? WHITE : AMBER);
  number(canvas, String(seconds).padStart(2, '0'), 358, 92, 80, AMBER);
  canvas.rectangle(478, 160, 11, 11, AMBER);
  number(canvas, String(Math.floor(((frame % framesPerSecond) * 10) / framesPerSecond)), 500, 92, 80, AMBER);
  word(canvas, 'FRAME', 602, 130, 3, WHITE);
  number(canvas, String(frame).padStart(4, '0'), 708, 92, 80, GREEN);
}
