import { copyFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { remedy } from '../../io/ffmpeg/ffmpeg-locator.ts';
import { runFfmpeg } from '../../io/ffmpeg/ffmpeg-run.ts';
import { Failure } from '../../io/os/failure.ts';
import { withTemporaryFolder } from '../../io/os/temporary-folder.ts';
import { formatParameters } from '../cell.ts';
import { framesPerSecondOf } from '../cell-source.ts';
import type { GridCell } from '../grid.ts';
import type { PackedFiles } from '../packed-units.ts';
import { buildAtomically } from '../store/atomic-file.ts';
import type { CellStore } from '../store/cell-store.ts';
import { type Comparer, type ShownStream, slotFilter, streamInput } from './compare-streams.ts';
import { openFilm, shownStream } from './measure-quality.ts';

/** Maximum number of pictures; more would be too small. */
const PICTURES_MAX = 4;

/** Positions of the pictures' top left corners, by number of pictures. */
const LAYOUTS = ['', '', '0_0|w0_0', '0_0|w0_0|0_h0', '0_0|w0_0|0_h0|w0_h0'];

/** Fonts installed on most systems. Without one, pictures are unlabelled, in the reported order. */
const FONTS = [
  '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf',
  '/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf',
  '/usr/share/fonts/TTF/DejaVuSans.ttf',
  '/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf',
  '/System/Library/Fonts/Supplemental/Arial.ttf',
  'C:\\Windows\\Fonts\\arial.ttf',
];

/** @throws {Failure} when this ffmpeg cannot combine videos. */
export function checkVideo({ ffmpeg, filters }: Comparer): void {
  if (!ffmpeg.libx264) throw new Failure(`${ffmpeg.path} has no libx264, which --video needs; ${remedy()}`, 3);
  if (!filters.has('xstack')) {
    throw new Failure(`${ffmpeg.path} ${ffmpeg.version} has no filter xstack, which --video needs; ${remedy()}`, 3);
  }
}

/** Cells of one source, link, budget and seed: the first of the grid, as many as fit. */
export function cellsToShow(cells: readonly GridCell[]): readonly GridCell[] {
  const first = cells.find(({ cell }) => cell.source.kind === 'file');
  if (!first) return [];
  const { source, forward, back, second, budgetMs } = first.cell;
  const isBeside = ({ cell }: GridCell) =>
    cell.source === source &&
    cell.forward === forward &&
    cell.back === back &&
    cell.second?.forward === second?.forward &&
    cell.second?.back === second?.back &&
    cell.budgetMs === budgetMs;
  return cells.filter(isBeside).slice(0, PICTURES_MAX);
}

export interface SideBySide {
  readonly path: string;
  /** Labels in reading order. */
  readonly labels: readonly string[];
  readonly isLabeled: boolean;
}

/**
 * Writes a video of what several viewers saw at the same time.
 *
 * @param cells finished cells of one source, at least one.
 */
export async function writeSideBySide(
  directory: string,
  cells: readonly GridCell[],
  options: {
    readonly media: PackedFiles;
    readonly store: CellStore;
    readonly comparer: Comparer;
    readonly signal: AbortSignal;
  },
): Promise<SideBySide> {
  const { media, store, comparer, signal } = options;
  const path = join(directory, 'side-by-side.mp4');
  const labels = cells.map(({ cell }) => `${cell.strategy} ${formatParameters(cell.parameters)}`.trim());
  return withTemporaryFolder(store.directory, async (folder) => {
    const isLabeled = comparer.filters.has('drawtext') && (await copyFont(folder));
    const films = new Map();
    const inputs: string[] = [];
    const graph: string[] = [];
    for (const [index, gridCell] of cells.entries()) {
      const film = openFilm(gridCell, media, films);
      const shown = await shownStream(gridCell, film, store);
      inputs.push(...(await streamInput(shown, film.format, join(folder, `${index}.mp4`))));
      graph.push(`[${index}:v]${tile(shown, isLabeled ? labels[index] : undefined)}[t${index}]`);
    }
    const fps = framesPerSecondOf(cells[0]!.cell.source).toFixed(3);
    const tiles = cells.map((_, index) => `[t${index}]`).join('');
    const stacked =
      cells.length === 1 ? 'null' : `xstack=inputs=${cells.length}:layout=${LAYOUTS[cells.length]}:fill=black`;
    graph.push(`${tiles}${stacked},setpts=N/(${fps}*TB)[all]`);
    await buildAtomically(path, async (temporary) => {
      const encode = ['-c:v', 'libx264', '-preset', 'veryfast', '-crf', '18', '-pix_fmt', 'yuv420p', '-r', fps];
      const output = ['-map', '[all]', ...encode, '-movflags', '+faststart', '-f', 'mp4', '-y', resolve(temporary)];
      const parameters = ['-max_error_rate', '1', ...inputs, '-filter_complex', graph.join(';'), ...output];
      await runFfmpeg(comparer.ffmpeg, parameters, { directory: folder, name: 'side-by-side.mp4', signal });
    });
    return { path, labels, isLabeled };
  });
}

const FONT_FILE = 'label.ttf';

/** Copies a font to a name that needs no quoting. @returns true when one was found. */
async function copyFont(folder: string): Promise<boolean> {
  for (const font of FONTS) {
    const isThere = await copyFile(font, join(folder, FONT_FILE)).then(
      () => true,
      () => false,
    );
    if (isThere) return true;
  }
  return false;
}

function tile(shown: ShownStream, label: string | undefined): string {
  const even = 'scale=trunc(iw/2)*2:trunc(ih/2)*2';
  if (label === undefined) return `${slotFilter(shown)},${even}`;
  const text = label.replaceAll(/[^A-Za-z0-9 .=-]/g, ' ');
  const place = 'x=8:y=8:fontsize=h/18:fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=6';
  return `${slotFilter(shown)},${even},drawtext=fontfile=${FONT_FILE}:text='${text}':${place}`;
}
