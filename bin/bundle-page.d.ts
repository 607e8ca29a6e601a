/** Writes `page/` into the folder of the compiled modules. */
export function bundlePage(dist: string): Promise<void>;
