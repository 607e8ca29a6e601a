import type { LabLine } from '../../protocol/page/lab-message.ts';
import type { PageServices } from './page-services.ts';

const UNANSWERED = 'The lab does not respond.';
const NOTHING = { value: undefined };

/** The server that has sent the page. */
export const SERVER: PageServices = {
  port: undefined,
  async runScenario(body, signal, progressed) {
    const answer = await fetch('/lab', { method: 'POST', body, signal }).catch(() => undefined);
    if (!answer?.body) throw new Error(UNANSWERED);
    if (!answer.ok) throw new Error(await answer.text());
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    for (;;) {
      const { value } = await reader.read().catch(() => NOTHING);
      if (value === undefined) throw new Error(UNANSWERED);
      const lines = (text + value).split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        const said = JSON.parse(line) as LabLine;
        if (said.kind === 'report') return said.url;
        if (said.kind === 'refused') throw new Error(said.why);
        progressed(said.share);
      }
    }
  },
};
