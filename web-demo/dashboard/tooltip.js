// What a chart says of the mark under the pointer. The names in it came from events: text only, never markup.

const GAP = 12;

let tooltip;

/** Shows the fields of `value` beside the pointer; nothing without one. */
export function showTooltip(event, value) {
  tooltip ??= createTooltip();
  tooltip.hidden = !value;
  if (!value) return;
  tooltip.replaceChildren(...Object.entries(value).map(([name, text]) => line(name, text)));
  const { width, height } = tooltip.getBoundingClientRect();
  const left = event.clientX + GAP;
  const top = event.clientY + GAP;
  tooltip.style.left = `${left + width > innerWidth ? Math.max(4, left - width - 2 * GAP) : left}px`;
  tooltip.style.top = `${top + height > innerHeight ? Math.max(4, top - height - 2 * GAP) : top}px`;
}

function createTooltip() {
  const element = document.body.appendChild(document.createElement("div"));
  element.className = "chart-tip";
  element.ariaHidden = "true";
  return element;
}

function line(name, text) {
  const element = document.createElement("p");
  const label = element.appendChild(document.createElement("span"));
  label.textContent = `${name}: `;
  element.appendChild(document.createElement("b")).textContent = String(text);
  return element;
}
