// SPDX-License-Identifier: Apache-2.0
// What a report does in the browser: draws its charts, shows what a mark stands for, sorts its tables.

/** Below this many pixels panels stand under each other and legends below them. */
const NARROW = 560;
const LEAST_PANEL = 120;
/** Small charts are drawn this much larger where there is room. */
const MOST_ZOOM = 1.2;

const tip = document.createElement('div');
tip.id = 'tip';
tip.hidden = true;
document.body.append(tip);

function showTip(_view, event, _item, value) {
  tip.hidden = value === null || value === undefined || value === '';
  if (tip.hidden) return;
  const list = document.createElement('dl');
  for (const [name, text] of Object.entries(value)) {
    if (text === undefined || text === null || text === 'undefined' || text === 'null') continue;
    const [dt, dd] = [document.createElement('dt'), document.createElement('dd')];
    dt.textContent = name;
    dd.textContent = text;
    list.append(dt, dd);
  }
  tip.replaceChildren(list);
  const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
  tip.style.left = `${Math.max(8, Math.min(event.pageX + 14, room))}px`;
  tip.style.top = `${event.pageY + 16}px`;
}

/** Groups of a compiled spec, the whole of it first. */
function* groups(spec) {
  yield spec;
  for (const mark of spec.marks ?? []) if (mark.type === 'group') yield* groups(mark);
}

function stack(spec) {
  for (const group of groups(spec)) {
    if (group.layout !== undefined) group.layout.columns = 1;
    for (const legend of group.legends ?? []) {
      if (legend.gradientLength !== undefined) continue;
      Object.assign(legend, { orient: 'bottom', direction: 'horizontal', columns: 2 });
    }
  }
}

/** What the widths of panels are made of. */
function widths(spec) {
  const signals = (spec.signals ?? []).filter(
    ({ name, value }) => /width$/i.test(name) && typeof value === 'number',
  );
  return [...(typeof spec.width === 'number' ? [{ name: 'width', value: spec.width }] : []), ...signals];
}

async function draw(box) {
  box.view?.finalize();
  const spec = JSON.parse(box.nextElementSibling.textContent);
  if (box.clientWidth < NARROW) stack(spec);
  const view = new vega.View(vega.parse(spec), {
    container: box,
    renderer: 'svg',
    hover: true,
    tooltip: showTip,
  });
  box.view = view;
  box.drawnAt = box.clientWidth;
  await view.runAsync();
  const svg = box.querySelector('svg');
  const width = Number(svg.getAttribute('width'));
  const over = width - box.clientWidth;
  if (over <= 0) {
    svg.style.width = `${Math.min(box.clientWidth, width * MOST_ZOOM)}px`;
    return;
  }
  for (const { name, value } of widths(spec))
    view.signal(name, Math.max(LEAST_PANEL, Math.floor(value - over)));
  await view.runAsync();
}

async function drawAll() {
  for (const box of document.querySelectorAll('.chart')) {
    if (box.drawnAt === box.clientWidth) continue;
    try {
      await draw(box);
    } catch (error) {
      box.textContent = `This chart could not be drawn: ${error.message}`;
      console.error(error);
    }
  }
  document.body.dataset.charts = 'drawn';
}

function sortBy(table, column, descending) {
  const body = table.tBodies[0];
  const key = (row) => {
    const cell = row.cells[column];
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    // Missing numbers come last, whichever way.
    return cell.classList.contains('number') ? undefined : cell.textContent;
  };
  const order = (a, b) => {
    const [x, y] = [key(a), key(b)];
    if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
    const sign =
      typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y), 'en');
    return descending ? -sign : sign;
  };
  body.append(...[...body.rows].sort(order));
  for (const head of table.tHead.rows[0].cells) head.removeAttribute('aria-sort');
  table.tHead.rows[0].cells[column].setAttribute('aria-sort', descending ? 'descending' : 'ascending');
}

for (const table of document.querySelectorAll('table.sortable')) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    head.querySelector('button').addEventListener('click', () => {
      sortBy(table, column, head.getAttribute('aria-sort') === 'ascending');
    });
  });
}

addEventListener('beforeprint', () => {
  for (const details of document.querySelectorAll('details')) details.open = true;
});

let waiting;
addEventListener('resize', () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => void drawAll(), 150);
});
addEventListener(
  'scroll',
  () => {
    tip.hidden = true;
  },
  { passive: true },
);
void drawAll();
