//! `wasm-glue browser|bare|worker INPUT.wasm OUT_DIR NAME`: writes `NAME.js` and `NAME_bg.wasm` for one of our modules.
//!
//! It is what wasm-bindgen's command does, as a library: a tenth of the compile time, and its version is that of
//! `Cargo.lock`, so that it always fits the modules. It is no part of xtask because xtask has to be there before
//! anything else begins.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    match run(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let [host, input, out_dir, name] = arguments else {
        bail!("usage: wasm-glue browser|bare|worker INPUT.wasm OUT_DIR NAME");
    };
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(input)
        .out_name(name)
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true);
    match host.as_str() {
        "browser" | "bare" => bindgen.web(true)?,
        // The last two let the Worker start its module again after a trap (edge-worker/js/worker.js).
        "worker" => bindgen
            .module(true)?
            .reset_state_function(true)
            .force_enable_abort_handler(true),
        other => bail!("`{other}` is none of `browser`, `bare` and `worker`"),
    };
    let mut output = bindgen
        .generate_output()
        .with_context(|| format!("cannot make the glue of `{input}`"))?;
    if host == "bare" {
        // Nobody uses the glue: what only it calls, and its long names, are ballast. What the module imports of it is never
        // called, so one function can stand for all (collector-wasm/js/module.js).
        let module = output.wasm_mut();
        for import in module.imports.iter_mut() {
            import.module = "glue".to_owned();
            import.name = "0".to_owned();
        }
        let exports = &mut module.exports;
        let mut of_glue = Vec::new();
        for export in exports.iter_mut() {
            match export.name.strip_prefix("core_") {
                Some(call) => export.name = call.to_owned(),
                None => of_glue.push(export.id()),
            }
        }
        for export in of_glue {
            exports.delete(export);
        }
    }
    output
        .emit(out_dir)
        .with_context(|| format!("cannot write the glue of `{input}`"))
}
