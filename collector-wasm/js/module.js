// Calls the WASM module. Its calls take and give numbers alone, so its exports can be called as they are: wasm-bindgen's own
// glue would be more bytes than the page's observers.

/** What the module imports. Nothing of it is ever called, so `xtask/wasm-glue` gives it all one name, `0`. */
export const IMPORTS = { glue: { 0() {} } };

/** What makes a core of the module.
 *  @param {WebAssembly.Instance} instance
 *  @returns {() => CoreCalls} */
export const coreOf =
  ({ exports }) =>
  () => {
    const calls = /** @type {Record<string, (...args: unknown[]) => unknown>} */ (exports);
    const core = calls.new();
    const bound = Object.entries(calls).map(([name, call]) => [name, call.bind(undefined, core)]);
    return Object.fromEntries(bound);
  };

/** Loads the module; it is compiled while it comes.
 *  @param {string} address */
export const loadCore = async (address) =>
  coreOf((await WebAssembly.instantiateStreaming(fetch(address), IMPORTS)).instance);
