// A page of the Power BI report as HTML: what its files say stands where, over rows of gold. It is a drawing of the layout,
// with figures by our own interpreter of DAX; Power BI draws in its own way.

import { chart } from "./charts.mjs";
import { formatted } from "./format.mjs";
import { projectionsOf, rowsOf } from "./groups.mjs";

const TITLE_HEIGHT = 30;
const PADDING = 10;
const NOTE =
  "Drawn by Shoptrail from the report's files, over the demo's data. Power BI draws in its own way.";

/** The page `name` of a report `{model, visuals, theme, compute, rows}` under `filters`. */
export async function pageHtml(name, report, filters) {
  const own = report.visuals.filter(({ path }) => path.includes(`/pages/${name}/`));
  const drawn = await Promise.all(own.map(({ json }) => visualHtml(json, report, filters)));
  return `<!doctype html><meta charset="utf-8"><style>${style(report.theme)}</style>
<main>${drawn.join("\n")}</main><p class="note">${escaped(NOTE)}</p>`;
}

async function visualHtml(json, report, filters) {
  const { x, y, width, height } = json.position;
  const { visualType, visualContainerObjects: container } = json.visual;
  const title = shown(container.title) ? `<h2>${escaped(text(container.title, "text"))}</h2>` : "";
  const size = {
    width: width - 2 * PADDING,
    height: height - 2 * PADDING - (title ? TITLE_HEIGHT : 0),
  };
  const frame = shown(container.border) ? "framed" : "";
  const place = `left:${x}px;top:${y}px;width:${width}px;height:${height}px`;
  const inside = await (BODIES[visualType] ?? drawnChart)(json, report, filters, size);
  return `<section class="${visualType} ${frame}" style="${place}">${title}${inside}</section>`;
}

/** How each kind of visual that is no chart is drawn. */
const BODIES = {
  actionButton: () => "<b>←</b>",
  cardVisual: cards,
  pivotTable: matrix,
  slicer,
  tableEx: table,
  textbox,
};

function drawnChart(json, report, filters, size) {
  const colours = { theme: report.theme.dataColors, ...coloursOf(json) };
  const projections = projectionsOf(json, report.model);
  const rows = rowsOf(json, report, filters);
  return chart(json.visual.visualType, { projections, rows, colours, size });
}

/** The colour of all marks, and those of measures. */
function coloursOf(json) {
  const points = json.visual.objects?.dataPoint ?? [];
  const colour = ({ solid }) => solid.color.expr.Literal.Value.replaceAll("'", "");
  const own = points.filter(({ selector }) => selector?.metadata);
  const all = points.find(({ properties }) => properties.defaultColor);
  return {
    all: all && colour(all.properties.defaultColor),
    own: Object.fromEntries(
      own.map(({ selector, properties }) => [selector.metadata, colour(properties.fill)]),
    ),
  };
}

function cards(json, report, filters) {
  const [row] = rowsOf(json, report, filters);
  const changes = new Map(
    (json.visual.objects.referenceLabel ?? []).map(({ properties, selector }) => [
      selector.metadata,
      properties.value?.expr.Measure.Property,
    ]),
  );
  const of = projectionsOf(json, report.model).map(({ key, label, format }) => {
    const change = changes.get(key);
    const changed = change && report.compute(change, filters);
    const format2 = change && report.model.measures.get(change).properties.formatString;
    const beside = change ? `<small>${escaped(formatted(changed, format2))}</small>` : "";
    return `<div><span>${escaped(label)}</span><b>${escaped(formatted(row?.[key], format))}</b>${beside}</div>`;
  });
  return `<div class="cards">${of.join("")}</div>`;
}

function table(json, report, filters, { height }) {
  const columns = projectionsOf(json, report.model);
  const rows = rowsOf(json, report, filters).slice(0, Math.ceil(height / 20));
  const head = columns.map((column) => cell("th", column, column.label));
  const lines = rows.map((row) =>
    columns.map((column) => cell("td", column, formatted(row[column.key], column.format))),
  );
  return tableHtml([head, ...lines]);
}

const cell = (tag, { kind }, value) =>
  `<${tag} class="${kind === "Measure" ? "number" : ""}">${escaped(value)}</${tag}>`;

const tableHtml = (lines) =>
  `<table>${lines.map((cells) => `<tr>${cells.join("")}</tr>`).join("")}</table>`;

function matrix(json, report, filters, { height }) {
  const projections = projectionsOf(json, report.model);
  const [[down], [across], values] = ["Rows", "Columns", "Values"].map((role) =>
    projections.filter((one) => one.role === role),
  );
  const rows = rowsOf(json, report, filters);
  const order = {
    visual: { query: { queryState: { Columns: json.visual.query.queryState.Columns } } },
  };
  const all = rowsOf(order, report, {}).map((row) => row[across.key]);
  const columns = all.filter((name) => rows.some((row) => row[across.key] === name));
  const names = [...new Set(rows.map((row) => row[down.key]))].slice(0, Math.ceil(height / 20));
  const groups = columns.map(
    (name) =>
      `<th class="number" colspan="${values.length}">${escaped(formatted(name, across.format))}</th>`,
  );
  const labels = columns.flatMap(() => values.map((value) => cell("th", value, value.label)));
  const heads = [[cell("th", down, down.label), ...groups]];
  if (values.length > 1) heads.push([cell("th", down, ""), ...labels]);
  const lines = names.map((name) => {
    const cells = columns.flatMap((column) => {
      const row = rows.find((one) => one[down.key] === name && one[across.key] === column);
      return values.map((value) => cell("td", value, formatted(row?.[value.key], value.format)));
    });
    return [cell("td", down, formatted(name, down.format) || "–"), ...cells];
  });
  return tableHtml([...heads, ...lines]);
}

function slicer(json) {
  const { data, header } = json.visual.objects;
  const { relativeDuration, relativePeriod } = data[0].properties;
  const value = relativeDuration
    ? `Last ${parseInt(literal(relativeDuration), 10)} ${literal(relativePeriod).toLowerCase()}`
    : "All";
  return `<span>${escaped(text(header, "text"))}</span><div class="choice">${escaped(value)}</div>`;
}

function textbox(json) {
  const lines = json.visual.objects.general[0].properties.paragraphs.map(({ textRuns }) =>
    textRuns.map(({ value, textStyle }) => {
      const { fontSize, fontWeight = "normal" } = textStyle;
      return `<span style="font-size:${fontSize};font-weight:${fontWeight}">${escaped(value)}</span>`;
    }),
  );
  return lines.map((runs) => `<p>${runs.join("")}</p>`).join("");
}

const literal = (property) => property.expr.Literal.Value.replace(/^'|'$/g, "");
const text = (object, name) => literal(object[0].properties[name]);

/** Whether a part of the frame is shown: it is, unless the visual says otherwise. */
const shown = (object) => !object || literal(object[0].properties.show) === "true";

const escaped = (value) =>
  String(value ?? "").replace(/[&<>"]/g, (letter) => `&#${letter.codePointAt(0)};`);

function style(theme) {
  return `
/* As wide as Power BI's own font, where that is missing. */
@font-face { font-family: Narrow; src: local("DejaVu Sans"); size-adjust: 86%; }
@font-face { font-family: Narrow; src: local("DejaVu Sans Bold"); size-adjust: 76%; font-weight: 600 700; }
* { box-sizing: border-box; margin: 0; }
body { font: 11px "Segoe UI", Narrow, sans-serif; color: ${theme.foreground}; background: ${theme.backgroundLight}; }
main { position: relative; width: 1280px; height: 720px; }
.note { padding: 2px 16px 6px; color: ${theme.foregroundNeutralSecondary}; font-style: italic; }
section { position: absolute; overflow: hidden; padding: ${PADDING}px; border-radius: 6px; }
section.framed { background: ${theme.background}; border: 1px solid #CFD5DE; }
section.textbox, section.slicer, section.actionButton { padding: 6px; }
section.actionButton b { font-size: 24px; }
h2 { height: ${TITLE_HEIGHT}px; font-size: 14px; font-weight: 600; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.cards { display: flex; gap: 12px; height: 100%; }
.cards div { flex: 1; display: flex; flex-direction: column; justify-content: center; gap: 4px; }
.cards span, .slicer span { color: ${theme.foregroundNeutralSecondary}; }
.cards b { font-size: 24px; font-weight: 600; white-space: nowrap; }
section[style*="height:76px"] .cards b { font-size: 15px; }
.choice { margin-top: 6px; padding: 4px 8px; border: 1px solid #CFD5DE; white-space: nowrap; }
table { border-collapse: collapse; width: 100%; }
th, td { height: 20px; padding: 1px 8px 1px 0; text-align: left; white-space: nowrap; max-width: 220px; overflow: hidden; text-overflow: ellipsis; border-bottom: 1px solid #E6E9EE; }
th { font-weight: 600; border-bottom: 1px solid ${theme.tableAccent}; }
.number { text-align: right; }`;
}
