import { inMilliseconds, milliseconds } from '../../protocol/base/units.ts';
import { CLEAN_LINK, UNLIMITED } from '../../sim/link/clean-link.ts';
import { formatLinkSpecification } from '../../sim/link/link-format.ts';
import type { LinkSpecification } from '../../sim/link/link-specification.ts';
import { parseDiscipline } from '../../sim/link/queue/discipline-words.ts';
import { parseRunningLink } from '../../sim/link/running-link.ts';
import { element } from '../player/statistics-panel.ts';
import { type DemoPreset, FIRST_PRESETS, LAB_PRESETS, MORE_PRESETS } from './demo-presets.ts';
import { readableLink } from './link-words.ts';
import { namesTrace, readPageLink, readTrace } from './page-traces.ts';

/** A slider of the network panel: label, range, and how it reads and changes the link. */
interface Knob {
  readonly name: string;
  readonly label: string;
  readonly max: number;
  readonly step: number;
  readonly unit: string;
  /** Text for the value 0, where it does not mean zero. */
  readonly zero?: string;
  readonly read: (link: LinkSpecification) => number;
  readonly write: (link: LinkSpecification, value: number) => LinkSpecification;
}

const KNOBS: readonly Knob[] = [
  {
    name: 'loss',
    label: 'Loss',
    max: 30,
    step: 0.5,
    unit: '%',
    read: ({ loss }) => loss * 100,
    write: ({ lossModel: _, ...link }, value) => ({ ...link, loss: value / 100 }),
  },
  {
    name: 'burst',
    label: 'Bursts',
    max: 20,
    step: 1,
    unit: 'pkt',
    read: ({ burst }) => burst,
    write: ({ lossModel: _, ...link }, value) => ({ ...link, burst: Math.max(1, value) }),
  },
  {
    name: 'delay',
    label: 'Delay',
    max: 400,
    step: 5,
    unit: 'ms',
    read: ({ delay }) => inMilliseconds(delay),
    write: (link, value) => ({ ...link, delay: milliseconds(value) }),
  },
  {
    name: 'jitter',
    label: 'Jitter',
    max: 100,
    step: 1,
    unit: 'ms',
    read: ({ jitter }) => inMilliseconds(jitter),
    write: (link, value) => ({ ...link, jitter: milliseconds(value) }),
  },
  {
    name: 'slip',
    label: 'Reordering',
    max: 20,
    step: 0.5,
    unit: '%',
    read: ({ slip }) => (slip?.share ?? 0) * 100,
    write: ({ slip: _, ...link }, value) =>
      value === 0 ? link : { ...link, slip: { share: value / 100, packets: 3 } },
  },
  {
    name: 'rate',
    label: 'Rate',
    max: 20,
    step: 0.25,
    unit: 'Mb/s',
    zero: 'no limit',
    read: ({ rate }) => rate / 1e6,
    write: ({ capacity: _, ...link }, value) => ({ ...link, rate: value * 1e6 }),
  },
  {
    name: 'queue',
    label: 'Queue',
    max: 1_000,
    step: 10,
    unit: 'ms',
    read: ({ queue }) => (queue < UNLIMITED ? inMilliseconds(queue) : 0),
    write: (link, value) => ({ ...link, queue: value === 0 ? UNLIMITED : milliseconds(value) }),
  },
];

export interface NetworkHandlers {
  changed(link: string): void;
  drop(packets: number): void;
  freeze(milliseconds: number): void;
}

/** Tooltip while the link has parts that no slider can express: netem, timed changes, the user's own trace. */
const WHOLE = 'This link cannot be changed by sliders. Choose another preset or edit the text.';
const TAIL_DROP = 'tail-drop';
const DISCIPLINES = [
  [TAIL_DROP, 'tail drop'],
  ['codel', 'CoDel'],
  ['fq-codel', 'FQ-CoDel'],
  ['dualpi2', 'DualPI2 (L4S)'],
] as const;
const DROP_PACKETS = 5;
const FREEZE_MS = 500;

/** The controls of the link that all lanes share. */
export class NetworkPanel {
  readonly #inputs = new Map<string, HTMLInputElement>();
  readonly #line = element('link', HTMLInputElement);
  readonly #preset = element('preset', HTMLSelectElement);
  readonly #discipline = element('qdisc', HTMLSelectElement);
  readonly #presets = new Map(
    [...FIRST_PRESETS, ...MORE_PRESETS, ...LAB_PRESETS].map(({ name, link }) => [name, link]),
  );
  /** Presets that have been parsed: one of them has a trace of thirty thousand lines. */
  readonly #read = new Map<string, LinkSpecification>();
  /** The link as the sliders show it, and the link in force as text. */
  #link: LinkSpecification = CLEAN_LINK;
  #inForce = '';

  constructor(handlers: NetworkHandlers) {
    for (const knob of KNOBS) element('sliders', HTMLElement).append(this.#slider(knob, handlers));
    this.#fillPresets();
    this.#preset.addEventListener('change', () => {
      const link = this.#presets.get(this.#preset.value);
      if (link !== undefined) handlers.changed(`${link} seed=${this.#link.seed}`);
      else this.#showPreset();
    });
    this.#fillDisciplines(handlers);
    this.#line.addEventListener('change', () => {
      // The shown text is rounded: the link in force is not replaced by its own rounding.
      if (this.#line.value !== readableLink(this.#inForce)) handlers.changed(this.#line.value);
    });
    element('drop', HTMLButtonElement).addEventListener('click', () => handlers.drop(DROP_PACKETS));
    element('freeze', HTMLButtonElement).addEventListener('click', () => handlers.freeze(FREEZE_MS));
  }

  /** One-way delay of the link, milliseconds. */
  get delayMs(): number {
    return this.#link.delay / 1_000;
  }

  /**
   * Shows the link that the server reports.
   * @param refused true when the server has just refused a change: every slider is then reset, even the focused one.
   */
  showLink(text: string, refused = false): void {
    if (document.activeElement !== this.#line) this.#line.value = readableLink(text);
    this.#inForce = text;
    const link = parseRunningLink(text, readTrace);
    if (link.ok) this.#link = link.value;
    this.#discipline.disabled = !link.ok;
    this.#discipline.title = link.ok ? '' : WHOLE;
    this.#discipline.value = link.ok ? (link.value.discipline?.kind ?? TAIL_DROP) : '';
    for (const knob of KNOBS) {
      const input = this.#inputs.get(knob.name)!;
      input.disabled = !link.ok;
      input.title = link.ok ? '' : WHOLE;
      if (!link.ok) {
        showValue(input, '–');
        continue;
      }
      const value = +knob.read(link.value).toFixed(3);
      // A focused slider is not moved.
      if (refused || document.activeElement !== input) input.value = String(value);
      // The value in force may lie beyond the slider's range or between two of its steps.
      showValue(input, externalValue(knob, link.value) ?? valueText(knob, value));
    }
    this.#showPreset();
  }

  #showPreset(): void {
    const { seed } = this.#link;
    this.#preset.value = '';
    for (const name of this.#presets.keys()) {
      const preset = this.#presetNamed(name);
      if (preset && formatLinkSpecification({ ...preset, seed }) === this.#inForce) this.#preset.value = name;
      if (this.#preset.value !== '') return;
    }
  }

  /** Returns a preset; `undefined` for one whose trace is not needed for the link in force, or not loaded. */
  #presetNamed(name: string): LinkSpecification | undefined {
    const known = this.#read.get(name);
    const text = this.#presets.get(name)!;
    if (known || (namesTrace(text) && !namesTrace(this.#inForce))) return known;
    const link = readPageLink(text);
    if (!link.ok) return undefined;
    this.#read.set(name, link.value);
    return link.value;
  }

  #slider(knob: Knob, handlers: NetworkHandlers): HTMLLabelElement {
    const label = document.createElement('label');
    label.className = 'slider';
    const name = document.createElement('span');
    name.textContent = knob.label;
    const input = document.createElement('input');
    Object.assign(input, { type: 'range', min: '0', max: String(knob.max), step: String(knob.step) });
    input.name = knob.name;
    // Set explicitly: otherwise the label would name the output, which is its first labelable child.
    input.id = `knob-${knob.name}`;
    label.htmlFor = input.id;
    const value = document.createElement('output');
    // The slider announces the value itself.
    value.ariaLive = 'off';
    label.append(name, value, input);
    this.#inputs.set(knob.name, input);
    input.addEventListener('input', () => {
      showValue(input, valueText(knob, Number(input.value)));
      // Parts of the link that no slider shows are kept.
      this.#link = knob.write(this.#link, Number(input.value));
      handlers.changed(formatLinkSpecification(this.#link));
    });
    return label;
  }

  /** Choosing a discipline takes its default parameters; the text can give others. */
  #fillDisciplines(handlers: NetworkHandlers): void {
    for (const [name, label] of DISCIPLINES) this.#discipline.add(new Option(label, name));
    this.#discipline.addEventListener('change', () => {
      const { discipline: _, ...link } = this.#link;
      const chosen = parseDiscipline(this.#discipline.value);
      if (!chosen.ok) return;
      this.#link = chosen.value ? { ...link, discipline: chosen.value } : link;
      handlers.changed(formatLinkSpecification(this.#link));
    });
  }

  #fillPresets(): void {
    this.#preset.add(new Option('custom', ''));
    const group = (label: string, presets: readonly DemoPreset[], nameOf = (name: string) => name): void => {
      const options = document.createElement('optgroup');
      options.label = label;
      for (const { name, source } of presets) {
        const option = new Option(nameOf(name), name);
        if (source !== undefined) option.title = source;
        options.append(option);
      }
      this.#preset.append(options);
    };
    group('Networks', FIRST_PRESETS);
    group('More', MORE_PRESETS);
    // Named as in a link.
    group('More, from the laboratory', LAB_PRESETS, (name) => `preset=${name}`);
  }
}

function valueText({ zero, unit }: Knob, value: number): string {
  return value === 0 && zero !== undefined ? zero : `${value}\u00a0${unit}`;
}

function showValue(input: HTMLInputElement, text: string): void {
  (input.previousElementSibling as HTMLOutputElement).value = text;
  input.setAttribute('aria-valuetext', text);
}

/** Returns the text of a slider whose value comes from a trace or a loss model instead. */
function externalValue({ name }: Knob, { lossModel, capacity }: LinkSpecification): string | undefined {
  if (name === 'rate' && capacity) return 'from trace';
  return lossModel && (name === 'loss' || name === 'burst') ? 'from model' : undefined;
}
