// Can the figures be trusted?

import * as columns from "../columns.js";
import { calendarDay, integer, percent, shortDay, timeOfDay } from "../format.js";
import { ratio } from "../kpi.js";
import { sum } from "./parts.js";

const noFigures = () => ({ values: {}, before: null });

const moment = (instant) => (instant ? `${calendarDay(instant)}, ${timeOfDay(instant)}` : "never");

const freshness = {
  name: "freshness",
  title: "Freshness",
  word: "Freshness",
  none: "Nothing was built yet.",
  rows: ({ published_at, newest_event: [newest] }) => [
    { what: "Tables published", at: published_at },
    { what: "Newest event received", at: newest?.received_at },
    { what: "Newest event happened", at: newest?.event_time },
  ],
  finding: ({ published_at }) => `Published ${moment(published_at)}`,
  columns: [columns.text("What", "what"), columns.instant("When", "at")],
};

const days = {
  name: "counted",
  title: "Events counted and left out, by day",
  word: "Programs",
  chart: "14_events_counted",
  none: "No events in this period.",
  rows: ({ days: rows }) =>
    rows.flatMap((row) =>
      [
        ["Counted", row.counted],
        ["Of programs", row.of_programs],
      ].map(([kind, events]) => ({ ...row, at: shortDay(row.day), kind, events })),
    ),
  finding: ({ days: rows }) => {
    const [counted, programs] = [sum(rows, "counted"), sum(rows, "of_programs")];
    return counted + programs > 0
      ? `${percent(ratio(programs, counted + programs))} of events are of programs and in no figure`
      : "";
  },
  columns: [
    columns.day("Day", "day"),
    columns.text("Events", "kind", { word: "Programs" }),
    columns.count("Number", "events", { word: "Events" }),
    columns.time("Under way, median", "late_ms_median", { word: "Under way" }),
    columns.time("Under way, 95 of 100 within", "late_ms_p95", { word: "Under way" }),
  ],
};

const hops = {
  name: "hops",
  title: "From the tracker to the tables, by day",
  word: "Events made",
  none: "No events in this period.",
  rows: ({ hops: rows }) => rows,
  finding: ({ hops: rows }) => {
    const [made, missing] = [sum(rows, "made"), sum(rows, "missing")];
    if (made === 0) return "";
    return missing === 0
      ? "Every event that trackers made has come, by the numbers they carry"
      : `${integer(missing)} of ${integer(made)} events that trackers made have not come`;
  },
  columns: [
    columns.day("Day", "day"),
    columns.count("Made", "made", { word: "Events made" }),
    columns.count("Missing", "missing", { word: "Missing events" }),
    columns.count("Received", "received", { word: "Events received" }),
    columns.count("Refused", "refused", { word: "Refused events" }),
    columns.count("Of programs", "by_programs", { word: "Programs" }),
    columns.count("Counted", "used", { word: "Events used" }),
    columns.count("Repeated", "duplicates", { word: "Duplicates" }),
  ],
};

const checks = {
  name: "checks",
  title: "Checks before publishing",
  word: "Check",
  none: "No build has checked anything yet.",
  rows: ({ checks: rows }) => rows,
  finding: ({ checks: rows }) => {
    const found = rows.filter((row) => row.failing_rows > 0).length;
    if (rows.length === 0) return "";
    return found === 0
      ? `${integer(rows.length)} checks of all shops' tables, all passed`
      : `${integer(found)} of ${integer(rows.length)} checks found something`;
  },
  columns: [
    columns.text("Check", "check_name", { word: "Check" }),
    columns.text("Table", "table_name"),
    columns.text("Result", "status"),
    columns.count("Rows found", "failing_rows", { word: "Failing rows" }),
    columns.text("If it finds something", ({ severity }) =>
      severity === "error" ? "nothing is published" : "a warning",
    ),
    columns.instant("Since", "since"),
    columns.text("For example", "samples"),
  ],
};

/** Records that were refused, by reason. */
function reasons(name, field, title, word) {
  return {
    name,
    title,
    word,
    none: "None.",
    rows: (answer) => answer[field],
    finding: () => "Of all time",
    columns: [
      columns.text("Code", "code"),
      columns.count("Records", "records", { word }),
      columns.text("For example", "reason"),
    ],
  };
}

const types = {
  name: "event-types",
  title: "Event types received",
  word: "Events",
  none: "No events in this period.",
  rows: ({ event_types: rows }) => rows,
  columns: [
    columns.text("Event type", "event_type"),
    columns.count("Events, programs too", "events", { word: "Events" }),
    columns.instant("Last one", "last_at"),
  ],
};

export const quality = {
  title: "Data quality",
  cards: [],
  figures: noFigures,
  panels: [
    { className: "half", parts: [freshness] },
    { className: "half", parts: [days] },
    { className: "whole", parts: [hops] },
    {
      className: "half",
      parts: [
        reasons("unreadable", "not_readable", "Records that could not be read", "Quarantine"),
      ],
    },
    {
      className: "half",
      parts: [reasons("uncounted", "not_counted", "Records that cannot be counted", "Quarantine")],
    },
    { className: "wide", parts: [checks] },
    { className: "side", parts: [types] },
  ],
};
