/**
 * Reports in one line when a worker cannot be loaded, fails, or gets a message that the browser cannot read.
 * @param file name of its script.
 */
export function reportFailures(worker: Worker, file: string, report: (why: string) => void): void {
  worker.onerror = ({ message }) => {
    const why = message ? `failed in this browser: ${message}` : 'could not be loaded';
    report(`${file} ${why}. Reload the page.`);
  };
  worker.onmessageerror = () => report(`${file} sent a message that this browser cannot read. Reload the page.`);
}
