// What the interpreter of Vega's expressions imports as `vega-util` (the import map of index.html says so): Vega's own script
// has all of it already.

export const { ascending, isString, DisallowedObjectProperties } = window.vega;
