import { causeOf } from '../os/failure.ts';

/** Returns the reason why an address is not available, and the remedy. */
export function addressCause(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return 'the port is in use; choose another one, or stop the program that uses it';
    case 'EADDRNOTAVAIL':
      return 'this machine does not have this address; choose one of its own, or 0.0.0.0 for all';
    case 'EACCES':
      return 'ports below 1024 require root; choose a higher one';
    default:
      return causeOf(error);
  }
}
