import type { PageServices } from './page-services.ts';

/** The server that has sent the page. */
export const SERVER: PageServices = {
  port: undefined,
  async runScenario(body, signal) {
    const answer = await fetch('/lab', { method: 'POST', body, signal }).catch(() => undefined);
    if (answer === undefined) throw new Error('The lab does not respond.');
    if (!answer.ok) throw new Error(await answer.text());
    const { url } = (await answer.json()) as { readonly url: string };
    return url;
  },
};
