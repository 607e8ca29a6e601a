import { axisValue, lastPosition, placeOf, STEPS } from '../../protocol/page/atlas-axes.ts';
import type { AtlasRow } from '../../protocol/page/atlas-cell.ts';
import { type Atlas, nearestPoint } from './atlas-data.ts';
import { AXIS_NAMES, aboveLeast, commandText, shareText, valueText, verdictText } from './atlas-words.ts';
import { drawMap } from './heat-map.ts';
import { loadAtlas } from './load-atlas.ts';
import { knotTexts, type MapAxes, mapText } from './map-squares.ts';

function part<Kind extends Element>(selector: string): Kind {
  const found = document.querySelector<Kind>(selector);
  if (!found) throw new Error(`the page lacks ${selector}`);
  return found;
}

/** State of the page that its address keeps. */
interface PageState {
  position: number[];
  axes: MapAxes;
}

function start(atlas: Atlas): void {
  const { axes } = atlas.manifest;
  const state = stateOf(location.hash, atlas);
  const sliders = axes.map((axis, index) => {
    const [row, name, input, output] = [
      document.createElement('label'),
      document.createElement('span'),
      document.createElement('input'),
      document.createElement('output'),
    ];
    row.append(name, input, output);
    input.type = 'range';
    name.textContent = AXIS_NAMES[axis.name];
    input.max = String(lastPosition(axis));
    input.disabled = axis.knots.length === 1;
    input.addEventListener('input', () => {
      state.position[index] = Number(input.value);
      show();
    });
    part('#sliders').append(row);
    return { input, output, axis };
  });
  const choices = (['x', 'y'] as const).map((side) => {
    const select = part<HTMLSelectElement>(`#${side}`);
    select.replaceChildren(
      ...axes.flatMap((axis, index) =>
        axis.knots.length > 1 ? [new Option(AXIS_NAMES[axis.name], String(index))] : [],
      ),
    );
    select.addEventListener('change', () => {
      const chosen = Number(select.value);
      const other = side === 'x' ? 'y' : 'x';
      // The same axis on both sides: they change places.
      state.axes = {
        ...state.axes,
        [side]: chosen,
        ...(state.axes[other] === chosen && { [other]: state.axes[side] }),
      };
      show();
    });
    return { side, select };
  });
  part<SVGSVGElement>('#map').addEventListener('click', (event) => {
    const box = part('#map').getBoundingClientRect();
    const at = (axis: number, share: number) => {
      const last = lastPosition(axes[axis]!);
      state.position[axis] = Math.max(0, Math.min(last, Math.floor(share * (last + 1))));
    };
    at(state.axes.x, (event.clientX - box.left) / box.width);
    at(state.axes.y, 1 - (event.clientY - box.top) / box.height);
    show();
  });
  // A table that is wider than a phone is scrolled with keys.
  part<HTMLElement>('.scroll').tabIndex = 0;
  part('#copy').addEventListener('click', () => void copyCommand());
  globalThis.addEventListener('hashchange', () => {
    Object.assign(state, stateOf(location.hash, atlas));
    show();
  });

  function show(): void {
    for (const [index, { input, output, axis }] of sliders.entries()) {
      const at = state.position[index]!;
      const text = valueText(axis.name, axisValue(axis, at));
      input.value = String(at);
      input.setAttribute('aria-valuetext', text);
      output.textContent = text;
    }
    for (const { side, select } of choices) select.value = String(state.axes[side]);
    showPoint();
    showMap();
    history.replaceState(null, '', `#${state.position.join(',')};${state.axes.x},${state.axes.y}`);
  }

  function showPoint(): void {
    const { point, rows } = nearestPoint(atlas, state.position);
    const place = placeOf(axes, point);
    part('#place').textContent = axes
      .map(({ name }) => `${AXIS_NAMES[name].toLowerCase()} ${valueText(name, place[name])}`)
      .join(', ');
    part('#verdict').textContent = verdictText(rows);
    const [limit] = rows.map(({ limitInTime }) => limitInTime);
    part('#capacity').textContent =
      typeof limit === 'number'
        ? `Of any sender, the capacity allows at most ${shareText(limit)} of the frames in time.`
        : '';
    part('#cells').replaceChildren(...rows.map((row) => rowOf(atlas, row)));
    part('#command').textContent = commandText(atlas.manifest, point);
  }

  function showMap(): void {
    const svg = part<SVGSVGElement>('#map');
    const counts = drawMap(svg, { atlas, position: state.position, axes: state.axes });
    svg.setAttribute('aria-label', mapText(atlas, state.axes, counts));
    for (const side of ['x', 'y'] as const) {
      const texts = knotTexts(atlas, state.axes[side]);
      part(`#${side}-values`).replaceChildren(...texts.map((text) => element('span', text)));
    }
    const names = atlas.manifest.strategies.filter(({ name }) => counts.has(name));
    const keys = names.map(({ name }) => keyed(atlas, name));
    if (counts.has('')) keys.push(keyed(atlas, ''));
    part('#legend').replaceChildren(...keys);
  }
  show();
}

function rowOf(atlas: Atlas, row: AtlasRow): HTMLElement {
  const { strategy, standing, inTime, low, high, overhead, leastOverhead, leastOf, frames } = row;
  const line = document.createElement('tr');
  line.className = standing;
  const name = document.createElement('th');
  name.scope = 'row';
  name.append(keyed(atlas, strategy));
  const above = aboveLeast(row);
  const least = leastOverhead === null ? '–' : `${leastOf === 'any' ? '≥ ' : ''}${shareText(leastOverhead)}`;
  const texts = [
    // A strategy alone is compared with nothing.
    standing === 'behind' || atlas.manifest.strategies.length === 1 ? '' : standing,
    shareText(1 - inTime),
    `${shareText(1 - high)} to ${shareText(1 - low)}`,
    overhead === null ? '–' : shareText(overhead),
    least,
    above === undefined ? '–' : `${above < 0 ? '−' : '+'}${Math.abs(above).toFixed(1)}`,
    frames.toLocaleString('en-US'),
  ];
  line.append(name, ...texts.map((text) => element('td', text)));
  return line;
}

/** The name of a strategy with its color; the empty name: no strategy is of use. */
function keyed(atlas: Atlas, name: string): HTMLElement {
  const key = element('span', name === '' ? 'none has half of the frames in time' : name);
  key.className = 'key';
  const style = atlas.manifest.strategies.find((each) => each.name === name);
  key.style.setProperty('--color', style ? `light-dark(${style.color}, ${style.colorDark})` : 'var(--none)');
  return key;
}

function element(tag: string, text: string): HTMLElement {
  return Object.assign(document.createElement(tag), { textContent: text });
}

async function copyCommand(): Promise<void> {
  const done = part('#copied');
  try {
    await navigator.clipboard.writeText(part('#command').textContent ?? '');
    done.textContent = 'Copied.';
  } catch {
    done.textContent = 'This browser does not let the page copy; select the line.';
  }
}

/** Reads positions and map axes from the address; what it lacks is the middle of each axis, and loss by round trip. */
function stateOf(hash: string, { manifest: { axes } }: Atlas): PageState {
  const [positions = '', sides = ''] = hash.slice(1).split(';');
  const given = positions.split(',').map((text) => (text === '' ? Number.NaN : Number(text)));
  const position = axes.map((axis, index) => {
    const [at, last] = [given[index], lastPosition(axis)];
    if (at !== undefined && Number.isInteger(at) && at >= 0 && at <= last) return at;
    return Math.min(last, Math.floor((axis.knots.length - 1) / 2) * STEPS);
  });
  const open = axes.flatMap(({ knots }, index) => (knots.length > 1 ? [index] : []));
  const of = (name: string) => axes.findIndex((axis) => axis.name === name);
  const fallback = [of('rtt'), of('loss'), ...open].filter((axis) => open.includes(axis));
  const [x, y] = sides.split(',').map((text) => (text === '' ? Number.NaN : Number(text)));
  const isAxis = (axis: number | undefined): axis is number => axis !== undefined && open.includes(axis);
  if (isAxis(x) && isAxis(y) && x !== y) return { position, axes: { x, y } };
  const [first = 0] = fallback;
  return { position, axes: { x: first, y: fallback.find((axis) => axis !== first) ?? first } };
}

loadAtlas()
  .then((atlas) => {
    const { rows, strategies, version } = atlas.manifest;
    part('#about').textContent =
      `${rows.toLocaleString('en-US')} cells of ${strategies.length} strategies, dropframe ${version}.`;
    start(atlas);
    document.body.dataset.state = 'ready';
  })
  .catch((error: unknown) => {
    part('#about').textContent = `The atlas cannot be shown: ${(error as Error).message}.`;
    document.body.dataset.state = 'failed';
  });
