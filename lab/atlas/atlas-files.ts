/** Says what an atlas is, to continue it; tells its folder from that of a run. */
export const ATLAS_RUN_FILE = 'atlas-run.json';
export const ATLAS_TABLE = 'atlas.parquet';
export const ATLAS_MANIFEST = 'atlas.json';
/** The table as a script, for the page from disk. */
export const ATLAS_DATA = 'atlas-data.js';
/** Files of the page. */
export const ATLAS_PAGE = ['index.html', 'base.css', 'atlas.css', 'atlas-page.js'] as const;
