/** Hash functions of digest authentication (RFC 7616 §3.3). Players know MD5 only. */
export type DigestAlgorithm = 'MD5' | 'SHA-256';

/** Returns the hash of a text in UTF-8, as lower-case hexadecimal digits. */
export type DigestHash = (algorithm: DigestAlgorithm, text: string) => string;

/** Name and password of a user. */
export interface Credentials {
  readonly user: string;
  readonly password: string;
}

/** The answer of a client to a challenge (RFC 7616 §3.4). */
export interface DigestAnswer {
  readonly user: string;
  readonly realm: string;
  readonly nonce: string;
  readonly uri: string;
  readonly algorithm: DigestAlgorithm;
  /** Lower-case hexadecimal digits. */
  readonly response: string;
  /** With `qop=auth`; `undefined` for clients of RFC 2069. */
  readonly protection: { readonly count: string; readonly clientNonce: string } | undefined;
}

export interface DigestChallengeOptions {
  readonly realm: string;
  readonly nonce: string;
}

/**
 * Returns the values of two WWW-Authenticate header fields, in the order of preference (RFC 7616 §3.7). Players take the
 * last one that they can read, and some only when realm and nonce are its first parameters and nothing follows them but
 * the algorithm; so MD5 is last, without `qop`.
 */
export function digestChallenges({ realm, nonce }: DigestChallengeOptions): readonly string[] {
  const both = `Digest realm="${realm}", nonce="${nonce}"`;
  return [`${both}, algorithm=SHA-256, qop="auth"`, `${both}, algorithm=MD5`];
}

const PARAMETERS_MAX = 32;
const PARAMETER = /^[\s,]*([\w-]{1,32})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/;

/** Reads the value of an Authorization header field; `undefined` when it is no complete digest answer. */
export function parseDigestAnswer(value: string): DigestAnswer | undefined {
  const scheme = /^\s*digest\s+/i.exec(value);
  if (!scheme) return undefined;
  const values = new Map<string, string>();
  let rest = value.slice(scheme[0].length);
  for (let match = PARAMETER.exec(rest); match && values.size < PARAMETERS_MAX; match = PARAMETER.exec(rest)) {
    const [whole, name = '', quoted, token = ''] = match;
    // A parameter that is there twice may be read in two ways.
    if (values.has(name.toLowerCase())) return undefined;
    values.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? token);
    rest = rest.slice(whole.length);
  }
  const [user, realm, nonce, uri] = ['username', 'realm', 'nonce', 'uri'].map((name) => values.get(name));
  const response = values.get('response')?.toLowerCase();
  const algorithm = algorithmOf(values.get('algorithm'));
  if (user === undefined || realm === undefined || nonce === undefined || uri === undefined) return undefined;
  if (algorithm === undefined || response === undefined || !/^[0-9a-f]{32,64}$/.test(response)) return undefined;
  const qop = values.get('qop');
  const [count, clientNonce] = [values.get('nc')?.toLowerCase(), values.get('cnonce')];
  if (qop === undefined) return { user, realm, nonce, uri, algorithm, response, protection: undefined };
  if (qop !== 'auth' || clientNonce === undefined || !/^[0-9a-f]{8}$/.test(count ?? '')) return undefined;
  return { user, realm, nonce, uri, algorithm, response, protection: { count: count!, clientNonce } };
}

function algorithmOf(text: string | undefined): DigestAlgorithm | undefined {
  const name = (text ?? 'MD5').toUpperCase();
  return name === 'MD5' || name === 'SHA-256' ? name : undefined;
}

/** Returns the response that a client with this password gives (RFC 7616 §3.4.1). */
export function digestResponse(
  method: string,
  { user, realm, nonce, uri, algorithm, protection }: Omit<DigestAnswer, 'response'>,
  { password, hash }: { readonly password: string; readonly hash: DigestHash },
): string {
  const secret = hash(algorithm, `${user}:${realm}:${password}`);
  const request = hash(algorithm, `${method}:${uri}`);
  const between = protection ? `${nonce}:${protection.count}:${protection.clientNonce}:auth` : nonce;
  return hash(algorithm, `${secret}:${between}:${request}`);
}
