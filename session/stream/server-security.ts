import { type Identity, makeIdentity, readIdentity } from '../../io/crypto/identity.ts';
import { isLoopback, reachableAddresses, resolveHost } from '../../io/net/host-address.ts';
import { Failure } from '../../io/os/failure.ts';
import { isPassphrase, PASSPHRASE_BYTES_MAX, PASSPHRASE_CHARACTERS_MIN } from './passphrase.ts';

/** Requested stream protection. */
export interface SecurityChoice {
  /** File of a certificate in PEM, and of its private key. */
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  readonly passphrase?: string | undefined;
  /** True to send without encryption, also beyond this machine. */
  readonly insecure?: boolean | undefined;
}

/** Effective stream protection. */
export interface ServerSecurity {
  /** `undefined`: the stream is not encrypted. */
  readonly identity?: Identity | undefined;
  readonly passphrase?: string | undefined;
}

/** Use of a server's certificate. */
export interface CertificateUse {
  /** True for names and dates in a certificate that is made here: browsers check more than the fingerprint. */
  readonly forBrowsers?: boolean;
}

/**
 * Decides on encryption: with the given certificate; with one of this process alone when there is a passphrase, or when
 * `host` can be reached from other machines; and not at all on loopback, or when it is declined.
 * @throws {Failure} when the choices contradict each other, or a file cannot be used.
 */
export async function serverSecurity(
  host: string,
  choice: SecurityChoice,
  { forBrowsers = false }: CertificateUse = {},
): Promise<ServerSecurity> {
  const { certificate, key, passphrase, insecure = false } = choice;
  if (insecure && (certificate ?? key ?? passphrase) !== undefined) {
    throw new Failure(
      '--insecure cannot be combined with a certificate or a passphrase (also DROPFRAME_PASSPHRASE)',
      2,
    );
  }
  if ((certificate === undefined) !== (key === undefined)) {
    throw new Failure('a certificate requires its key: give both --certificate and --key', 2);
  }
  if (passphrase !== undefined) checkPassphrase(passphrase);
  if (certificate !== undefined && key !== undefined)
    return { identity: readIdentity({ certificate, key }), passphrase };
  if (insecure) return {};
  if (passphrase === undefined && isLoopback(await resolveHost(host))) return {};
  const site = forBrowsers ? { hosts: await siteHosts(host), at: new Date() } : undefined;
  return { identity: makeIdentity(site), passphrase };
}

/** Names and addresses by which browsers reach a server on `host`. */
async function siteHosts(host: string): Promise<readonly string[]> {
  const bound = await resolveHost(host);
  return [...(host === bound ? [] : [host]), ...reachableAddresses(bound)];
}

/** Returns the passphrase. @throws {Failure} when it is too short or too long. */
export function checkPassphrase(passphrase: string): string {
  if (isPassphrase(passphrase)) return passphrase;
  throw new Failure(
    `a passphrase has at least ${PASSPHRASE_CHARACTERS_MIN} characters and at most ${PASSPHRASE_BYTES_MAX} bytes`,
    2,
  );
}
