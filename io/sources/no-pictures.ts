import { Failure } from '../os/failure.ts';

/** An input without pictures: nothing but sound. */
export class NoPictures extends Failure {
  constructor(input: string) {
    super(`${input} contains no video, only audio`);
  }
}
