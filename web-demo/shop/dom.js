// Builds page elements. Text stays text: nothing here ever reads HTML from a string.

/** An element with attributes (functions become event listeners, false and null are left out) and children. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

/** Tells people who cannot see the page what happened. */
export function announce(text) {
  document.getElementById("announcement").textContent = text;
}
