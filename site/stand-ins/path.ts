/** The part of node:path in use, for URLs. */
export const basename = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
