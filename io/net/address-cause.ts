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

/** Returns the reason why a socket cannot be connected, and the remedy. */
export function routeCause(error: unknown): string {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
      return 'this machine has no route to it';
    case 'EADDRNOTAVAIL':
    case 'ENODEV':
      return 'the interface is none of this machine';
    case 'EACCES':
      return 'it is a broadcast address, or a firewall on this machine blocks it';
    case 'EINVAL':
    case 'EAFNOSUPPORT':
      return 'datagrams cannot be sent to this address from here';
    default:
      return causeOf(error);
  }
}
