// Shows the definition of a word (data-word="Sessions") when it is pointed at or focused. The definitions are those of
// docs/metrics.md; a test holds metrics.json equal to it.

const idOf = (word) => `definition-${word.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}`;

let definitions = {};
let tip;

/** Reads the definitions. */
export async function readWords() {
  const response = await fetch("metrics.json");
  if (!response.ok) throw new Error(`metrics.json answered ${response.status}.`);
  definitions = await response.json();
  const list = document.body.appendChild(document.createElement("div"));
  list.hidden = true;
  for (const [word, text] of Object.entries(definitions)) {
    const definition = list.appendChild(document.createElement("p"));
    definition.id = idOf(word);
    definition.textContent = text;
  }
  tip = document.body.appendChild(document.createElement("div"));
  tip.className = "tip";
  // A screen reader reads the definition itself, by the word's description.
  tip.ariaHidden = "true";
  tip.hidden = true;
  addEventListener("keydown", (event) => event.key === "Escape" && hide());
  addEventListener("scroll", hide, { capture: true, passive: true });
}

/** Makes an element explain a word; without such a word it stays as it is. */
export function explain(element, word) {
  if (!definitions[word]) return;
  element.dataset.word = word;
  element.classList.add("word");
  element.tabIndex = 0;
  element.setAttribute("aria-describedby", idOf(word));
  element.addEventListener("mouseenter", () => show(element, word));
  element.addEventListener("mouseleave", hide);
  element.addEventListener("focus", () => show(element, word));
  element.addEventListener("blur", hide);
}

function show(element, word) {
  tip.textContent = definitions[word];
  tip.hidden = false;
  const { left, bottom, top } = element.getBoundingClientRect();
  const { width, height } = tip.getBoundingClientRect();
  const below = bottom + 6;
  tip.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  tip.style.top = `${below + height > innerHeight ? Math.max(8, top - height - 6) : below}px`;
}

function hide() {
  tip.hidden = true;
}
