// The Worker's entry: hands what the runtime brings to the WASM module, and starts the module again after a trap.
//
// A trap (a panic, a stack overflow, memory that runs out) leaves the module's memory in an unknown state. The call that
// trapped fails; the next one gets a new instance. The state object is the `worker` crate's, `__wbg_reset_state` is
// wasm-bindgen's.
import * as module from "shoptrail-glue";

const state = module.__worker_init_state();

function note(error) {
  if (error instanceof WebAssembly.RuntimeError) {
    console.error("the module trapped", error);
    state.criticalError = true;
  }
}

// Traps in callbacks of the module reach no caller.
addEventListener("error", (event) => note(event.error));

async function call(handler, argument, env) {
  if (state.criticalError) {
    module.__wbg_reset_state();
    state.criticalError = false;
    state.instanceId += 1;
  }
  try {
    return await handler(argument, env);
  } catch (error) {
    note(error);
    throw error;
  }
}

export default {
  fetch: (request, env) => call(module.fetch, request, env),
  queue: (batch, env) => call(module.queue, batch, env),
};
