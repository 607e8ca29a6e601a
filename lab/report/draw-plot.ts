import { Failure } from '../../io/os/failure.ts';
import type { Layout, Plot, PlotSpec } from './plot.ts';
import { THEME } from './plot-theme.ts';

const SCHEMA = 'https://vega.github.io/schema/vega-lite/v6.json';

/** Returns the complete specification of a plot, with its data at `url`. */
export function specification(plot: Plot, layout: Layout, url: string): PlotSpec {
  return {
    $schema: SCHEMA,
    description: plot.alternative,
    config: THEME,
    data: { url, format: { type: 'csv', parse: kindsOf(plot) } },
    ...plot.spec(layout),
  };
}

/** Data types of a plot's columns; Vega would read the text `40` as a number. */
function kindsOf({ rows }: Plot): Readonly<Record<string, string>> {
  const kinds: Record<string, string> = {};
  for (const row of rows) {
    for (const [name, value] of Object.entries(row)) if (value !== null) kinds[name] = typeof value;
  }
  return kinds;
}

/** Renders plots as SVG. */
export interface Drawer {
  /** `warn` receives Vega's warnings about a specification. */
  draw(plot: Plot, layout: Layout, warn?: (text: string) => void): Promise<string>;
}

/** Renumbers element ids per drawing; Vega numbers them per process. */
export function numberedAnew(svg: string): string {
  const ids = [...svg.matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id!);
  const numbers = new Map(ids.map((id, index) => [id, `part${index}`]));
  return svg
    .replace(/\bid="([^"]+)"/g, (_all, id: string) => `id="${numbers.get(id)}"`)
    .replace(/url\(#([^)]+)\)/g, (_all, id: string) => `url(#${numbers.get(id) ?? id})`);
}

/** The parts of Vega in use, declared here so that the sources compile without it. */
interface Vega {
  readonly Warn: number;
  logger(level: number, method: undefined, handler: (method: string, level: string, input: unknown[]) => void): object;
  loader(options: object): object;
  parse(specification: unknown): object;
  readonly View: new (
    runtime: object,
    options: { readonly renderer: 'none'; readonly logger: object; readonly loader: object },
  ) => { toSVG(): Promise<string>; finalize(): void };
}

interface VegaLite {
  compile(specification: unknown, options: { readonly logger: object }): { readonly spec: unknown };
}

const PACKAGES: readonly [vega: string, vegaLite: string] = ['vega', 'vega-lite'];

const installed = async (): Promise<readonly [Vega, VegaLite]> =>
  Promise.all([import(PACKAGES[0]) as Promise<Vega>, import(PACKAGES[1]) as Promise<VegaLite>]);

/**
 * Loads Vega and Vega-Lite, optional packages (25 MB) that only reports need. @throws {Failure} with exit code 3 when
 * they are missing.
 */
export async function openDrawer(load: () => Promise<readonly [Vega, VegaLite]> = installed): Promise<Drawer> {
  const [vega, vegaLite] = await load().catch((error: unknown) => {
    throw new Failure('plots need the packages vega and vega-lite, which are not installed; run npm install', 3, {
      cause: error,
    });
  });
  return {
    async draw(plot, layout, warn = () => {}) {
      const logger = vega.logger(vega.Warn, undefined, (_method, _level, input) => warn(input.join(' ')));
      const { data: _, ...rest } = specification(plot, layout, '');
      const { spec } = vegaLite.compile({ ...rest, data: { values: plot.rows } }, { logger });
      // Nothing may be fetched: all data is in the specification.
      const loader = vega.loader({ http: false, file: false });
      const view = new vega.View(vega.parse(spec), { renderer: 'none', logger, loader });
      const svg = await view.toSVG();
      view.finalize();
      return numberedAnew(svg);
    },
  };
}
