export function refusalOf(folder: string, root: string): string | undefined;
export function clearFolder(folder: string): void;
export function refusalBeside(folder: string, atlas: string): string | undefined;
