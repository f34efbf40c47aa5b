// Calls the WASM module. Its calls take and give numbers alone, so its exports can be called as they are: wasm-bindgen's own
// glue would be more bytes than the page's observers.

/** What makes a core of a compiled module.
 *  @param {WebAssembly.Module} module
 *  @returns {Promise<() => CoreCalls>} */
export const coreOf = async (module) => {
  // Nothing of what wasm-bindgen wants imported is ever called.
  /** @type {Record<string, Record<string, () => void>>} */
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (imports[from] ??= {})[name] = () => {};
  }
  const { exports } = await WebAssembly.instantiate(module, imports);
  return () => {
    const calls = /** @type {Record<string, (...args: unknown[]) => unknown>} */ (exports);
    const core = calls.new();
    const bound = Object.entries(calls).map(([name, call]) => [name, call.bind(undefined, core)]);
    return Object.fromEntries(bound);
  };
};

/** Loads the module.
 *  @param {string} address */
export const loadCore = async (address) => {
  const reply = await fetch(address);
  return coreOf(await WebAssembly.compile(await reply.arrayBuffer()));
};
