// Errors of the page's own scripts, as events: each text once, and few of a page.

const MOST = 5;

/** @param {LateParts} parts */
export default ({ track, on }) => {
  /** @type {Set<string>} */
  const told = new Set();
  /** @param {unknown} said
   *  @param {{filename?: string, lineno?: number, colno?: number}} [place] */
  const tell = (said, { filename, lineno, colno } = {}) => {
    const message = `${said}`.slice(0, 200);
    if (told.size >= MOST || told.has(message)) return;
    told.add(message);
    // An address without its query, which may hold what somebody typed.
    const source = filename?.replace(/[?#].*/, "").slice(0, 200) || undefined;
    track("error", { properties: { message, source, line: lineno, column: colno } });
  };
  // Images and scripts that do not load are errors without a message.
  on(window, "error", (event) => event.message && tell(event.message, event));
  on(window, "unhandledrejection", ({ reason }) => tell(reason?.message ?? reason));
};
