// Calls the WASM module. Its calls take and give numbers alone, so its exports can be called as they are: wasm-bindgen's own
// glue would be more bytes than the page's observers.

/** The core of a compiled module, as a class.
 *  @param {WebAssembly.Module} module
 *  @returns {Promise<new () => CoreCalls>} */
export const coreOf = async (module) => {
  // Nothing of what wasm-bindgen wants imported is ever called.
  /** @type {Record<string, Record<string, () => void>>} */
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module)) {
    (imports[from] ??= {})[name] = () => {};
  }
  const { exports } = await WebAssembly.instantiate(module, imports);
  const calls = /** @type {Record<string, (...args: unknown[]) => unknown>} */ (exports);
  const Core = function () {
    const core = calls.core_new();
    return Object.fromEntries(
      Object.keys(calls)
        .filter((name) => name.startsWith("core_"))
        .map((name) => [name.slice(5), calls[name].bind(undefined, core)]),
    );
  };
  return /** @type {any} */ (Core);
};

/** Loads the module.
 *  @param {string} address */
export const loadCore = async (address) => {
  const reply = await fetch(address);
  return coreOf(await WebAssembly.compile(await reply.arrayBuffer()));
};
