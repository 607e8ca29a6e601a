import { alignedText, markdownTable } from '../report/text-table.ts';
import { STANDARD_ERRORS_MAX } from './estimate.ts';
import type { CheckOutcome, Validation } from './validation.ts';

/** Validation results as text and as Markdown. */

const HEAD = ['check', 'parameters', 'predicted', 'simulated', '99 % interval', 'verdict'] as const;

function cellsOf({ check, estimate, verdict }: CheckOutcome): string[] {
  const { name, parameters, predicted, agreement } = check;
  const margin = estimate ? STANDARD_ERRORS_MAX * estimate.standardError : 0;
  const words = Object.entries(parameters).map(([key, value]) => `${key}=${value}`);
  const rule = { interval: '', within: '', equal: '', 'at-most': '≤ ' }[agreement.kind];
  return [
    name,
    words.join(' '),
    rule + figure(predicted),
    estimate ? figure(estimate.estimate) : '–',
    estimate && agreement.kind === 'interval'
      ? `${figure(Math.max(0, estimate.estimate - margin))} … ${figure(estimate.estimate + margin)}`
      : ruleText(agreement),
    verdict,
  ];
}

function ruleText(agreement: CheckOutcome['check']['agreement']): string {
  switch (agreement.kind) {
    case 'interval':
      return '–';
    case 'within':
      return `within ${agreement.share * 100} %`;
    case 'equal':
      return 'equal';
    case 'at-most':
      return 'at most';
    default:
      return agreement satisfies never;
  }
}

/** Formats with four significant digits. */
function figure(value: number): string {
  if (value === 0) return '0';
  return Number.isInteger(value) ? String(value) : Number(value.toPrecision(4)).toString();
}

export const validationText = (outcomes: readonly CheckOutcome[]): string =>
  alignedText([HEAD, ...outcomes.map(cellsOf)]);

/** Markdown, one table per group. */
export function validationMarkdown(outcomes: readonly CheckOutcome[]): string {
  const groups = [...new Set(outcomes.map(({ check }) => check.group))];
  return groups
    .map((group) => {
      const rows = outcomes.filter(({ check }) => check.group === group).map(cellsOf);
      return `### ${group[0]!.toUpperCase()}${group.slice(1)}\n\n${markdownTable(HEAD, rows)}`;
    })
    .join('\n\n');
}

export function validationConclusion(validation: Validation): string {
  const { passed, agree, intervals, outside, outsideAllowed, disagree, formOnly, notRun } = validation;
  const simulated = agree + outside + disagree;
  return [
    `${passed ? 'agrees' : 'DISAGREES'}: ${agree} of ${simulated} checks agree`,
    `${outside} of ${intervals} 99 % intervals miss (up to ${outsideAllowed} expected by chance)`,
    `${disagree} disagree`,
    `${formOnly + notRun} not simulated (${formOnly} formula only, ${notRun} too rare or too expensive)`,
  ].join('; ');
}
