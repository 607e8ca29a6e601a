import { existsSync, mkdirSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';

/** File that tells a site of an earlier build from a folder of somebody else's files. */
const MARKER = '.dropframe-site';
/** Files that tell a folder of the laboratory's results, which may have taken days. */
const RESULTS = ['atlas-run.json', 'run.json'];

/**
 * Returns why no site may be written to a folder, since what is there is deleted; `undefined` when it may. Among the sources
 * only folders below out/ may be written; elsewhere those that are new, empty or a site of an earlier build; none with
 * results of the laboratory.
 */
export function refusalOf(folder, root) {
  const place = realPlace(folder);
  const sources = realpathSync(root);
  const results = entriesOf(place)?.find((name) => RESULTS.includes(name));
  if (results !== undefined) return `${folder} holds results of the laboratory (${results}): name another folder`;
  if (isWithin(sources, place)) return `${folder} contains the sources: name another folder`;
  if (isWithin(place, sources)) {
    const generated = join(sources, 'out');
    if (place !== generated && isWithin(place, generated)) return undefined;
    return `${folder} is among the sources: name a folder below out/, or one outside`;
  }
  if (!existsSync(place)) return undefined;
  const names = entriesOf(place);
  if (names === undefined) return `${folder} is not a folder: name another one`;
  if (names.length === 0 || names.includes(MARKER)) return undefined;
  return `${folder} has files that are not of an earlier build of the site: name a new or an empty folder`;
}

/** Returns why a site with this atlas may not be written to a folder, where one is in the other; `undefined` when it may. */
export function refusalBeside(folder, atlas) {
  const [place, other] = [realPlace(folder), realPlace(atlas)];
  if (!isWithin(place, other) && !isWithin(other, place)) return undefined;
  return `${folder} and the atlas in ${atlas} are in one another: name another folder`;
}

/** Makes an empty folder for the site, with its marker. */
export function clearFolder(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, MARKER),
    'Written by `npm run build:site`, which deletes this folder when it writes again.\n',
  );
}

function entriesOf(place) {
  try {
    return readdirSync(place);
  } catch {
    return undefined;
  }
}

/** Path without symbolic links, also of a folder that does not exist yet. */
function realPlace(folder) {
  const path = resolve(folder);
  if (existsSync(path)) return realpathSync(path);
  return dirname(path) === path ? path : join(realPlace(dirname(path)), basename(path));
}

function isWithin(path, folder) {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && resolve(folder, way) === path;
}
