/** The parts of an RTSP URI (RFC 2326 §3.2) that a server of one presentation needs. */
export interface RtspUri {
  /** Without user, query and track, and without a slash at its end: `rtsp://host:8554/film`. */
  readonly presentation: string;
  /** Path of the presentation, decoded: `film`. */
  readonly path: string;
  /** Index of the track; `undefined` for the presentation as a whole. */
  readonly track: number | undefined;
  /** Parameters after the question mark. */
  readonly query: ReadonlyMap<string, string>;
}

const TRACK = 'trackID=';
const PARAMETERS_MAX = 16;

/** Returns the URI of a track (RFC 2326 §C.1.1). */
export const trackUri = (presentation: string, track: number): string => `${presentation}/${TRACK}${track}`;

/** Parses an absolute URI of the scheme `rtsp` or `rtsps`; `undefined` for any other. */
export function parseRtspUri(text: string): RtspUri | undefined {
  const match = /^(rtsps?):\/\/(?:[^/@?#]*@)?([^/@?#\s]+)([^?#\s]*)(?:\?([^#\s]*))?$/i.exec(text);
  if (!match) return undefined;
  const [, scheme = '', authority = '', rest = '', query = ''] = match;
  // Some players put the name of the track behind the query.
  const behindQuery = /\/trackID=(\d{1,3})\/?$/.exec(query);
  const tracked = /\/trackID=(\d{1,3})\/?$/.exec(rest);
  const route = rest.slice(0, tracked?.index).replace(/\/+$/, '');
  const path = decoded(route.replace(/^\/+/, ''));
  if (path === undefined) return undefined;
  const track = tracked?.[1] ?? behindQuery?.[1];
  return {
    presentation: `${scheme.toLowerCase()}://${authority}${route}`,
    path,
    track: track === undefined ? undefined : Number(track),
    query: parameters(query.slice(0, behindQuery?.index)),
  };
}

function parameters(query: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const pair of query.split('&', PARAMETERS_MAX)) {
    const [name = '', ...value] = pair.split('=');
    const text = decoded(value.join('='));
    if (name !== '' && text !== undefined) found.set(name, text.replace(/\/$/, ''));
  }
  return found;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Returns the path under which a source of this name is served: letters, digits, `.`, `_` and `-` only. */
export function presentationPath(name: string): string {
  const path = name
    .replace(/\.[A-Za-z0-9]{1,5}$/, '')
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[-.]+|[-.]+$/g, '');
  return path === '' ? 'live' : path;
}
