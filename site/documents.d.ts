/** @returns the files of the documentation by their path in the site. @param root folder of the repository. */
export function documentPages(root: string): ReadonlyMap<string, string | { readonly file: string }>;
