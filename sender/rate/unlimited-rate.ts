import type { RateController } from './rate-controller.ts';

/**
 * No control: for a stream that is small beside another on the same path, whose controller measures that path, such as
 * sound beside pictures. It asks for no reports, which would take as many bytes as the stream itself.
 */
export class UnlimitedRate implements RateController {
  readonly target = undefined;
  readonly pacingRate = undefined;
  readonly standingQueue = undefined;
  readonly feedbackInterval = undefined;

  onOffered(): void {}

  onPaced(): void {}

  onSent(): void {}

  onPath(): void {}

  onFeedback(): void {}

  pollTimeout(): undefined {}

  onTimeout(): void {}
}
