import type { Rotation } from '../../protocol/codec/nal/display-orientation.ts';

/** Draws decoded frames on a canvas. */
export class PictureCanvas {
  framesDrawn = 0;
  /** `sentAtMs` of the frame on the canvas; `undefined` while there is none. */
  drawnSentAtMs: number | undefined;
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;

  constructor(canvas: HTMLCanvasElement) {
    const context = canvas.getContext('2d', { alpha: false });
    if (context === null) throw new Error('this browser has no canvas');
    this.#canvas = canvas;
    this.#context = context;
  }

  /**
   * Draws a frame and takes the size of the canvas from it. The caller closes the frame.
   * @param rotation clockwise, degrees.
   */
  draw(frame: VideoFrame, sentAtMs: number | undefined, rotation: Rotation = 0): void {
    const { displayWidth, displayHeight } = frame;
    const isAcross = rotation % 180 !== 0;
    const [width, height] = isAcross ? [displayHeight, displayWidth] : [displayWidth, displayHeight];
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    this.#context.setTransform(1, 0, 0, 1, width / 2, height / 2);
    this.#context.rotate((rotation * Math.PI) / 180);
    this.#context.drawImage(frame, -displayWidth / 2, -displayHeight / 2, displayWidth, displayHeight);
    this.#context.resetTransform();
    this.framesDrawn += 1;
    this.drawnSentAtMs = sentAtMs;
  }

  /** Paints the canvas black. */
  clear(): void {
    this.#context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.drawnSentAtMs = undefined;
  }
}
