// What a visual asks the model for: its columns and measures by role, and the rows that these have under the filters.

/** The projections of a visual: `{role, kind, table, name, key, label, format}`. */
export function projectionsOf(json, model) {
  const state = json.visual.query?.queryState ?? {};
  return Object.entries(state).flatMap(([role, { projections }]) =>
    projections.map((projection) => ({ role, ...described(projection, model) })),
  );
}

function described({ field, queryRef, nativeQueryRef, displayName }, model) {
  const [[kind, { Expression, Property }]] = Object.entries(field);
  const table = Expression.SourceRef.Entity;
  const of = kind === "Measure" ? model.measures : model.tables.get(table).columns;
  const { properties } = of.get(Property);
  const label = displayName ?? nativeQueryRef;
  return { kind, table, name: Property, key: queryRef, label, format: properties.formatString };
}

/**
 * The rows of a visual, each an object of values by the projections' keys: one for every combination of its columns for
 * which one of its measures has a value, in its order. A visual without columns has one row.
 */
export function rowsOf(json, report, filters) {
  const projections = projectionsOf(json, report.model);
  const columns = projections.filter(({ kind }) => kind === "Column");
  const measures = projections.filter(({ kind }) => kind === "Measure");
  const own = (json.filterConfig?.filters ?? []).map((filter) => condition(filter));
  const allowed = { ...filters, ...Object.assign({}, ...own.map(({ column }) => column ?? {})) };
  const rows = combinations(columns, report)
    .filter((row) =>
      columns.every(({ table, name, key }) => passes(allowed, table, name, row[key])),
    )
    .map((row) => ({ ...row, ...figures(row, columns, measures, report, allowed) }))
    .filter((row) => measures.length === 0 || measures.some(({ key }) => row[key] !== null));
  const kept = own.reduce((left, { keep }) => (keep ? keep(left) : left), rows);
  return sorted(kept, json, projections, report);
}

const passes = (filters, table, name, cell) => filters[`${table}[${name}]`]?.(cell) ?? true;

function figures(row, columns, measures, report, filters) {
  const cells = columns.map(({ table, name, key }) => [
    `${table}[${name}]`,
    (cell) => cell === row[key],
  ]);
  const chosen = { ...filters, ...Object.fromEntries(cells) };
  return Object.fromEntries(measures.map(({ key, name }) => [key, report.compute(name, chosen)]));
}

/** The values that stand together: in one table with what it points to, else each with each. */
function combinations(columns, { model, rows }) {
  if (columns.length === 0) return [{}];
  const tables = [...new Set(columns.map(({ table }) => table))];
  const link = (from, to) =>
    model.relationships.find((one) => one.from.table === from && one.to.table === to);
  const fact = tables.find((one) => tables.every((other) => other === one || link(one, other)));
  if (!fact) return tables.reduce((left, table) => crossed(left, columns, table, rows), [{}]);
  const cellOf = (row, { table, name }) => {
    if (table === fact) return row[name];
    const { from, to } = link(fact, table);
    return rows[table].find((other) => other[to.column] === row[from.column])?.[name] ?? null;
  };
  return distinct(
    rows[fact].map((row) => columns.map((column) => [column.key, cellOf(row, column)])),
  );
}

function crossed(left, columns, table, rows) {
  const own = columns.filter((column) => column.table === table);
  const cells = distinct(rows[table].map((row) => own.map(({ key, name }) => [key, row[name]])));
  return left.flatMap((row) => cells.map((more) => ({ ...row, ...more })));
}

function distinct(entries) {
  const rows = entries.map((cells) => Object.fromEntries(cells));
  return [...new Map(rows.map((row) => [JSON.stringify(row), row])).values()];
}

/** A filter of the visual's own: on a column's values, on the rows that are left, or on the first of them by a measure. */
function condition({ type, field, filter }) {
  const [[, { Expression, Property }]] = Object.entries(field);
  const name = `${Expression.SourceRef.Entity}[${Property}]`;
  if (!filter) return {};
  const [{ Condition }] = filter.Where;
  if (type === "TopN") {
    const { OrderBy, Top } = filter.From[0].Expression.Subquery.Query;
    const by = `Key Figures.${OrderBy[0].Expression.Measure.Property}`;
    return { keep: (rows) => rows.toSorted((a, b) => b[by] - a[by]).slice(0, Top) };
  }
  if (Condition.In) {
    const values = Condition.In.Values.map(([{ Literal }]) => Literal.Value.replaceAll("'", ""));
    return { column: { [name]: (cell) => values.includes(cell) } };
  }
  const { ComparisonKind, Left, Right } = Condition.Comparison ?? {};
  if (!Left?.Measure || ComparisonKind !== 2) throw new Error(`no way to filter by ${name}`);
  const least = parseFloat(Right.Literal.Value);
  return { keep: (rows) => rows.filter((row) => row[`Key Figures.${Property}`] >= least) };
}

function sorted(rows, json, projections, { model, rows: all }) {
  const orders = json.visual.query?.sortDefinition?.sort ?? [];
  const [first] = projections.filter(({ kind }) => kind === "Column");
  const by = orders.map(({ field, direction }) => {
    const [{ Expression, Property }] = Object.values(field);
    return {
      key: `${Expression.SourceRef.Entity}.${Property}`,
      sign: direction === "Descending" ? -1 : 1,
    };
  });
  if (by.length === 0 && first) by.push({ key: first.key, sign: 1 });
  const places = new Map(projections.map((column) => [column.key, placeOf(column, model, all)]));
  const compare = (a, b) => (a === b ? 0 : a === null || a < b ? -1 : 1);
  return rows.toSorted(
    (a, b) =>
      by
        .map(({ key, sign }) => sign * compare(places.get(key)(a[key]), places.get(key)(b[key])))
        .find((order) => order !== 0) ?? 0,
  );
}

/** By what a value is sorted: by another column of its row where the model says so. */
function placeOf({ kind, table, name }, model, rows) {
  const by = kind === "Column" && model.tables.get(table).columns.get(name).properties.sortByColumn;
  if (!by) return (cell) => cell;
  const other = by.replaceAll("'", "");
  const places = new Map(rows[table].map((row) => [row[name], row[other]]));
  return (cell) => places.get(cell) ?? null;
}
