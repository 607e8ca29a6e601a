import { type LinkSpecification, parseLinkSpecification } from '../sim/link-specification.ts';
import { PRESETS } from '../sim/presets.ts';
import { element } from './statistics-panel.ts';

/** A knob of the link: how it is worded, its range, and how it reads and writes the one-line form. */
interface Knob {
  readonly name: string;
  readonly label: string;
  readonly max: number;
  readonly step: number;
  readonly unit: string;
  /** What 0 means, where it is not nothing. */
  readonly zero?: string;
  readonly read: (link: LinkSpecification) => number;
  readonly write: (value: number) => string;
}

const KNOBS: readonly Knob[] = [
  {
    name: 'loss',
    label: 'Loss',
    max: 30,
    step: 0.5,
    unit: '%',
    read: ({ loss }) => loss * 100,
    write: (value) => `loss=${value}%`,
  },
  {
    name: 'burst',
    label: 'Burst length',
    max: 20,
    step: 1,
    unit: 'packets',
    read: ({ burst }) => burst,
    write: (value) => `burst=${Math.max(1, value)}`,
  },
  {
    name: 'delay',
    label: 'Delay',
    max: 400,
    step: 5,
    unit: 'ms',
    read: ({ delay }) => delay / 1_000,
    write: (value) => `delay=${value}ms`,
  },
  {
    name: 'jitter',
    label: 'Jitter',
    max: 100,
    step: 1,
    unit: 'ms',
    read: ({ jitter }) => jitter / 1_000,
    write: (value) => `jitter=${value}ms`,
  },
  {
    name: 'slip',
    label: 'Reordering',
    max: 20,
    step: 0.5,
    unit: '%',
    read: ({ slip }) => (slip?.share ?? 0) * 100,
    write: (value) => `slip=${value}%/3`,
  },
  {
    name: 'rate',
    label: 'Bandwidth',
    max: 20,
    step: 0.25,
    unit: 'Mb/s',
    zero: 'no limit',
    read: ({ rate }) => rate / 1e6,
    write: (value) => `rate=${value}mbit`,
  },
  {
    name: 'queue',
    label: 'Queue',
    max: 1_000,
    step: 10,
    unit: 'ms',
    read: ({ queue }) => (Number.isFinite(queue) ? queue / 1_000 : 0),
    write: (value) => `queue=${value}ms`,
  },
];

/** Beside those of the laboratory: links for the show, our own and of no authority. */
const SHOW: readonly { readonly name: string; readonly link: string }[] = [
  { name: 'as it began', link: 'loss=4% delay=30ms jitter=4ms' },
  { name: 'clean fibre', link: 'delay=5ms' },
  { name: 'train', link: 'loss=1.5% burst=6 delay=40ms jitter=20ms onoff=periodic/9s/600ms' },
  { name: 'everything is on fire', link: 'loss=18% burst=5 delay=80ms jitter=40ms slip=3%/3 rate=4mbit queue=300ms' },
];

export interface NetworkHandlers {
  changed(link: string): void;
  drop(packets: number): void;
  freeze(milliseconds: number): void;
}

const DROP_PACKETS = 5;
const FREEZE_MS = 500;

/** The knobs of the link that all lanes share. */
export class NetworkPanel {
  readonly #handlers: NetworkHandlers;
  readonly #inputs = new Map<string, HTMLInputElement>();
  readonly #line = element('link', HTMLInputElement);
  readonly #preset = element('preset', HTMLSelectElement);
  readonly #presets = new Map([...SHOW, ...PRESETS].map(({ name, link }) => [name, link]));
  #seed = 1;

  constructor(handlers: NetworkHandlers) {
    this.#handlers = handlers;
    for (const knob of KNOBS) element('sliders', HTMLElement).append(this.#slider(knob));
    this.#fillPresets();
    this.#preset.addEventListener('change', () => {
      const link = this.#presets.get(this.#preset.value);
      if (link !== undefined) handlers.changed(`${link} seed=${this.#seed}`);
    });
    this.#line.addEventListener('change', () => handlers.changed(this.#line.value));
    element('drop', HTMLButtonElement).addEventListener('click', () => handlers.drop(DROP_PACKETS));
    element('freeze', HTMLButtonElement).addEventListener('click', () => handlers.freeze(FREEZE_MS));
  }

  /** What the server says that the link is. */
  settle(text: string): void {
    if (document.activeElement !== this.#line) this.#line.value = text;
    const link = parseLinkSpecification(text);
    if (!link.ok) return;
    this.#seed = link.value.seed;
    for (const knob of KNOBS) {
      const input = this.#inputs.get(knob.name)!;
      const value = +knob.read(link.value).toFixed(3);
      // A slider in someone's hand is not moved.
      if (document.activeElement !== input) input.value = String(value);
      say(
        knob,
        input,
        link.value.lossModel && (knob.name === 'loss' || knob.name === 'burst') ? 'by its model' : undefined,
      );
    }
    const known = [...this.#presets].find(([, preset]) => sameLink(`${preset} seed=${this.#seed}`, text));
    this.#preset.value = known?.[0] ?? '';
  }

  #slider(knob: Knob): HTMLLabelElement {
    const label = document.createElement('label');
    label.className = 'slider';
    const name = document.createElement('span');
    name.textContent = knob.label;
    const input = document.createElement('input');
    Object.assign(input, { type: 'range', min: '0', max: String(knob.max), step: String(knob.step) });
    input.name = knob.name;
    const value = document.createElement('output');
    label.append(name, input, value);
    this.#inputs.set(knob.name, input);
    input.addEventListener('input', () => {
      say(knob, input);
      this.#handlers.changed(this.#written());
    });
    return label;
  }

  /** The link that the sliders show, what says nothing left out. */
  #written(): string {
    const words: string[] = [];
    for (const knob of KNOBS) {
      const value = Number(this.#inputs.get(knob.name)!.value);
      const isNothing = value === 0 || (knob.name === 'burst' && value <= 1);
      if (knob.name === 'queue' && Number(this.#inputs.get('rate')!.value) === 0) continue;
      if (!isNothing) words.push(knob.write(value));
    }
    return [...words, `seed=${this.#seed}`].join(' ');
  }

  #fillPresets(): void {
    this.#preset.add(new Option('my own', ''));
    const group = (label: string, names: readonly { readonly name: string; readonly source?: string }[]): void => {
      const options = document.createElement('optgroup');
      options.label = label;
      for (const { name, source } of names) {
        const option = new Option(name, name);
        if (source !== undefined) option.title = source;
        options.append(option);
      }
      this.#preset.append(options);
    };
    group('For the show', SHOW);
    group('Of the laboratory', PRESETS);
  }
}

function say(knob: Knob, input: HTMLInputElement, instead?: string): void {
  const value = Number(input.value);
  const text = instead ?? (value === 0 && knob.zero !== undefined ? knob.zero : `${value}\u00a0${knob.unit}`);
  (input.nextElementSibling as HTMLOutputElement).value = text;
  input.setAttribute('aria-valuetext', text);
}

function sameLink(a: string, b: string): boolean {
  const [one, other] = [parseLinkSpecification(a), parseLinkSpecification(b)];
  return one.ok && other.ok && JSON.stringify(one.value) === JSON.stringify(other.value);
}
