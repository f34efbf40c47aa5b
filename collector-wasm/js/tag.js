// What the script tag says. Read while the script runs: `document.currentScript` is gone afterwards.

const script = document.currentScript;
const { key, consent, debug } = script?.dataset ?? {};

export const WRITE_KEY = key;

/** What may be done until the visitor chose: 0 nothing, 1 send, 2 store too. */
export const SETTING = { off: 0, cookieless: 1 }[consent] ?? 2;

export const DEBUG = debug !== undefined;

/** An address beside this script: the edge's routes move with it. */
export const beside = (file) => new URL(file, script.src).href;
