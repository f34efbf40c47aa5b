// The charts of a report's page as SVG, by Vega-Lite.

import * as vega from "vega";
import * as vegaLite from "vega-lite";

import { formatted } from "./format.mjs";

const DAY_MS = 86_400_000;
const BAR_HEIGHT = 21;
/** More days than this are an axis of time, fewer have a name each. */
const NAMED_DAYS = 5;

/** @type {any} */
const CONFIG = {
  background: null,
  font: "Segoe UI, Narrow, sans-serif",
  padding: 2,
  view: { stroke: null },
  axis: { domain: false, ticks: false, title: null, labelFontSize: 10, gridColor: "#E6E9EE" },
  axisX: { grid: false },
  legend: { orient: "top", title: null, labelFontSize: 10, symbolType: "square", offset: 2 },
};

/** Draws a chart of `type`; `size` is what its frame leaves it. */
export async function chart(type, { projections, rows, colours, size }) {
  const make = { barChart: bars, clusteredBarChart: bars, funnel, scatterChart: scatter }[type];
  const spec = (make ?? course)(type, marks(projections, rows, colours), size, projections);
  const fitted = { autosize: { type: "fit", contains: "padding" }, ...size, ...spec };
  const compiled = vegaLite.compile({ ...fitted, config: CONFIG }).spec;
  return new vega.View(vega.parse(compiled), { renderer: "none" }).toSVG();
}

/** One mark for each row and measure, or each row of a series; and the colours of both. */
function marks(projections, rows, colours) {
  const of = (role) => projections.filter((one) => one.role === role);
  const [[category], [series]] = [of("Category"), of("Series")];
  const measures = [...of("Y"), ...of("Y2")];
  const values = rows.flatMap((row, place) =>
    measures.map((measure) => ({
      place,
      category: formatted(row[category.key], category.format) || "–",
      at: typeof row[category.key] === "number" ? row[category.key] * DAY_MS : null,
      series: series ? String(row[series.key]) : measure.label,
      axis: measure.role,
      value: row[measure.key],
      text: formatted(row[measure.key], measure.format),
      ...Object.fromEntries(projections.map(({ role, key }) => [role, row[key]])),
    })),
  );
  const names = [...new Set(values.map((mark) => mark.series))];
  const own = measures.map(({ key }) => colours.own[key]);
  const range = names.map((_, index) => (series ? null : own[index]) ?? colours.theme[index]);
  if (names.length === 1 && colours.all) range[0] = colours.all;
  const color = {
    field: "series",
    type: "nominal",
    sort: null,
    scale: { domain: names, range },
    legend: names.length > 1 ? {} : null,
  };
  const isShare = measures.some(({ format }) => format?.includes("%"));
  return { values, names, color, isShare, measures };
}

const data = ({ values }) => ({ data: { values: values.filter(({ value }) => value !== null) } });

const quantity = ({ isShare }, more = {}) => ({
  field: "value",
  type: "quantitative",
  axis: { format: isShare ? ".0%" : "~s", tickCount: 4 },
  ...more,
});

/** Bars that lie, the first on top, as many as there is room for, each with its value. */
function bars(type, drawn, { height }) {
  const perCategory = type === "clusteredBarChart" ? drawn.names.length * 0.6 : 1;
  const room = Math.max(1, Math.floor((height - 30) / (BAR_HEIGHT * Math.max(1, perCategory))));
  const categories = [...new Set(drawn.values.map(({ category }) => category))].slice(0, room);
  const values = drawn.values.filter(({ category }) => categories.includes(category));
  const y = { field: "category", type: "nominal", sort: null, axis: { labelLimit: 130 } };
  const offset = drawn.names.length > 1 ? { yOffset: { field: "series", sort: null } } : {};
  const most = Math.max(0, ...values.map(({ value }) => value)) || 1;
  // Room for the longest bar's value behind it.
  const x = { ...quantity(drawn), axis: null, scale: { domain: [0, most * 1.35] } };
  return {
    ...data({ values }),
    encoding: { y, x, ...offset },
    layer: [
      { mark: { type: "bar" }, encoding: { color: drawn.color } },
      {
        mark: { type: "text", align: "left", dx: 3, fontSize: 9 },
        encoding: { text: { field: "text" } },
      },
    ],
  };
}

/** Bars in the middle, each with its value and its share of the one above. */
function funnel(type, drawn) {
  const values = drawn.values.map((mark, index) => {
    const before = drawn.values[index - 1]?.value;
    const share = before ? ` (${formatted(mark.value / before, "0.0%")})` : "";
    return { ...mark, from: -mark.value / 2, to: mark.value / 2, text: mark.text + share };
  });
  return {
    ...data({ values }),
    encoding: { y: { field: "category", type: "nominal", sort: null } },
    layer: [
      {
        mark: { type: "bar" },
        encoding: {
          x: { field: "from", type: "quantitative", axis: null },
          x2: { field: "to" },
          color: drawn.color,
        },
      },
      {
        mark: { type: "text", fontSize: 10, fontWeight: "bold", stroke: "white", strokeWidth: 3 },
        encoding: { x: { datum: 0 }, text: { field: "text" } },
      },
      {
        mark: { type: "text", fontSize: 10, fontWeight: "bold" },
        encoding: { x: { datum: 0 }, text: { field: "text" } },
      },
    ],
  };
}

/** Columns and lines over days or groups; what stands on the second axis is a line with a scale of its own. */
function course(type, drawn, { width }) {
  // Columns beside each other need a place of their own for each day.
  const isBeside = type === "clusteredColumnChart" && drawn.names.length > 1;
  const x = axisOf(drawn.values, isBeside);
  const count = new Set(drawn.values.map(({ category }) => category)).size;
  const band = x.type === "temporal" ? { width: Math.max(2, (width * 0.7) / count) } : {};
  const beside = isBeside ? { xOffset: { field: "series", sort: null } } : {};
  const columns = {
    mark: { type: "bar", ...band },
    encoding: { x, color: drawn.color, ...beside },
  };
  const lines = { mark: { type: "line" }, encoding: { x, color: drawn.color } };
  const first = type === "lineChart" ? lines : columns;
  const layers = [...new Set(drawn.values.map(({ axis }) => axis))].map((axis) => {
    const { mark, encoding } = axis === "Y2" ? lines : first;
    const y = quantity(drawn, axis === "Y2" ? { axis: { orient: "right", grid: false } } : {});
    return {
      transform: [{ filter: { field: "axis", equal: axis } }],
      mark,
      encoding: { ...encoding, y },
    };
  });
  return { ...data(drawn), layer: layers, resolve: { scale: { y: "independent" } } };
}

function axisOf(values, isBeside) {
  const days = new Set(values.map(({ at }) => at));
  const isTime = !isBeside && !days.has(null) && days.size > NAMED_DAYS;
  const named = { labelAngle: 0, labelOverlap: true };
  if (!isTime) return { field: "category", type: "nominal", sort: null, axis: named };
  const axis = { format: "%-d %b", tickCount: 6 };
  return { field: "at", type: "temporal", scale: { type: "utc" }, axis };
}

/** A point for each row, the larger the more of the third measure, with its name. */
function scatter(type, drawn, size, projections) {
  const role = (name) => projections.find((one) => one.role === name);
  const axis = (name) => ({
    title: role(name).label,
    titleFontSize: 10,
    format: role(name).format?.includes("%") ? ".0%" : "~s",
    tickCount: 5,
  });
  const point = (name) => ({ field: name, type: "quantitative", axis: axis(name) });
  const [x, y] = [point("X"), point("Y")];
  return {
    ...data(drawn),
    encoding: { x, y },
    layer: [
      {
        mark: { type: "circle", opacity: 0.75, color: drawn.color.scale.range[0] },
        encoding: { size: { field: "Size", type: "quantitative", legend: null } },
      },
      {
        mark: { type: "text", align: "left", dx: 7, fontSize: 9, limit: 110 },
        encoding: { text: { field: "category" } },
      },
    ],
  };
}
