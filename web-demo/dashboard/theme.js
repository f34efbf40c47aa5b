// The looks of all charts in one place. Colours are the page's CSS variables, so that dark mode needs no redraw.

const FONT = '"Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

/**
 * Vega-Lite `config` of every chart.
 * @type {any}
 */
export const VEGA_CONFIG = {
  background: null,
  font: FONT,
  padding: { left: 0, top: 2, right: 0, bottom: 3 },
  view: { stroke: null },
  axis: {
    domainColor: "var(--line-strong)",
    gridColor: "var(--line)",
    labelColor: "var(--muted)",
    labelFontSize: 11,
    labelPadding: 6,
    tickColor: "var(--line-strong)",
    ticks: false,
    title: null,
  },
  axisY: { domain: false, tickCount: 3 },
  axisX: { grid: false },
  legend: {
    columnPadding: 10,
    labelColor: "var(--muted)",
    labelFontSize: 11,
    offset: 6,
    orient: "top",
    symbolSize: 70,
    symbolStrokeWidth: 0,
    symbolType: "square",
    title: null,
  },
  bar: { cornerRadiusEnd: 2 },
  text: { fontSize: 12 },
  style: {
    // One colour per measure, the same wherever the measure is drawn.
    revenue: { color: "var(--revenue)" },
    sessions: { color: "var(--sessions)" },
    events: { color: "var(--events)" },
    trend: { color: "var(--trend)" },
    track: { color: "var(--track)" },
    before: { color: "var(--muted)", strokeWidth: 1.5, strokeDash: [4, 3], opacity: 0.8 },
    cohort: { color: "var(--sessions)", stroke: "var(--panel)", strokeWidth: 1 },
    os: { stroke: "var(--panel)", strokeWidth: 1 },
    name: { color: "var(--ink)", align: "left", baseline: "middle" },
    value: { color: "var(--ink)", fontWeight: 600, align: "right", baseline: "middle" },
    note: { color: "var(--muted)", fontSize: 11, align: "left", baseline: "middle" },
  },
  range: {
    category: [
      "var(--os-1)",
      "var(--os-2)",
      "var(--os-3)",
      "var(--os-4)",
      "var(--os-5)",
      "var(--os-6)",
    ],
  },
};
