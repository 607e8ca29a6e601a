/** Time before the URL of a download is revoked, milliseconds: the browser has fetched it by then. */
const DOWNLOAD_MS = 10_000;

/** Lets the browser save a file. */
export function download(name: string, content: Blob): void {
  const address = URL.createObjectURL(content);
  Object.assign(document.createElement('a'), { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), DOWNLOAD_MS);
}
