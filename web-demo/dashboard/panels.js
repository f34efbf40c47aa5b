// Panels: a title, one sentence that says what is to be seen, and parts, each a chart or a table. Every part can be read as a
// table and taken along as CSV, so that a chart is never the only way to its figures.

import { createChart, removeChart, updateChart } from "./charts.js";
import { csv } from "./columns.js";
import { createTable } from "./table.js";
import { explain } from "./words.js";

/** Builds a panel into `host`; `context` holds what cells and bars need (`choose`, `currency` …). */
export function createPanel(host, definition, context) {
  const panel = host.appendChild(document.createElement("section"));
  panel.className = `panel ${definition.className}`;
  const parts = definition.parts.map((part) => createPart(panel, part, context));
  return {
    async update(answer) {
      for (const part of parts) await part.update(answer);
    },
    remove() {
      for (const part of parts) part.remove();
    },
  };
}

function createPart(panel, part, context) {
  const host = panel.appendChild(document.createElement("div"));
  host.className = "part";
  const bar = host.appendChild(document.createElement("div"));
  bar.className = "part-bar";
  const title = bar.appendChild(document.createElement("h3"));
  const name = title.appendChild(document.createElement("span"));
  name.textContent = part.title;
  if (part.word) explain(name, part.word);
  const aside = part.aside && bar.appendChild(asideOf(part));
  const finding = host.appendChild(document.createElement("p"));
  finding.className = "finding";
  finding.dataset.finding = part.name;
  const chart = part.chart && chartView(host, part, context);
  const table = tableView(host, part, part.chart !== undefined);
  const views = chart ? [chart, table] : [table];
  let rows = [];
  const choice = part.choice && bar.appendChild(choiceOf(part, context));
  if (chart) bar.append(toggle(part, chart, table));
  bar.append(csvButton(part, () => [rows, context]));
  return {
    async update(answer) {
      rows = part.rows(answer, context);
      finding.textContent = part.finding?.(answer, context) ?? "";
      if (aside) aside.textContent = part.aside(answer, context);
      if (choice) choice.value = part.choice.value(context.state);
      for (const view of views) await view.update(rows, context);
    },
    remove: () => views.forEach((view) => view.remove()),
  };
}

function asideOf(part) {
  const aside = document.createElement("span");
  aside.className = "aside";
  aside.dataset.testid = part.asideTestid;
  return aside;
}

/** A choice of this part alone; it stands in the address like every other. */
function choiceOf({ choice }, context) {
  const select = document.createElement("select");
  select.className = "small";
  select.ariaLabel = choice.label;
  select.append(...choice.options.map(([value, text]) => new Option(text, value)));
  select.addEventListener("change", () => context.choose({ [choice.name]: select.value }));
  return select;
}

/** The chart is drawn when its library has come; until then the panel waits with everything else on the page there. */
function chartView(host, part, context) {
  const element = host.appendChild(document.createElement("div"));
  element.className = part.step ? "chart rows" : "chart";
  element.dataset.chart = part.chart;
  if (part.step) makeScrollable(element, part.title);
  const filter = part.filter;
  const click =
    filter && ((row) => filter(row) && context.choose(Object.fromEntries([filter(row)])));
  const chart = createChart(element, { ...part, label: part.title, click });
  let isRemoved = false;
  // A chart that cannot be drawn leaves the table; what is wrong stands in the notice.
  chart.catch((error) => context.problem("A chart cannot be drawn", error.message));
  return {
    element,
    async update(rows, _context) {
      const drawn = await chart.catch(() => null);
      if (drawn && !isRemoved) await updateChart(drawn, rows, context.chartChoices());
    },
    remove() {
      isRemoved = true;
      chart.then(removeChart, () => {});
    },
  };
}

function tableView(host, part, isHidden) {
  const element = host.appendChild(document.createElement("div"));
  element.className = "scroll";
  element.hidden = isHidden;
  makeScrollable(element, part.title);
  const fill = createTable(element, { ...part, label: part.title });
  const none = element.appendChild(document.createElement("p"));
  none.className = "none-row";
  none.textContent = part.none;
  return {
    element,
    async update(rows, context) {
      fill(rows, context);
      none.hidden = rows.length > 0;
    },
    remove() {},
  };
}

/** What scrolls must be reached by the keyboard. */
function makeScrollable(element, label) {
  element.tabIndex = 0;
  element.role = "region";
  element.ariaLabel = label;
}

function toggle(part, chart, table) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "small";
  button.textContent = "Table";
  button.ariaPressed = "false";
  button.setAttribute("aria-label", `${part.title} as a table`);
  button.addEventListener("click", () => {
    const isTable = table.element.hidden;
    table.element.hidden = !isTable;
    chart.element.hidden = isTable;
    button.ariaPressed = String(isTable);
  });
  return button;
}

function csvButton(part, current) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "small";
  button.textContent = "CSV";
  button.setAttribute("aria-label", `${part.title} as a CSV file`);
  button.addEventListener("click", () => {
    const [rows, context] = current();
    save(`shoptrail-${part.name}.csv`, csv(part.columns, rows, context));
  });
  return button;
}

function save(name, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: "text/csv" }));
  link.download = name;
  link.click();
  // The download has its own hold on the bytes once it has begun.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
