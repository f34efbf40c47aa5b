// Shows the definition of a word (data-word="Sessions") when it is pointed at or focused. The definitions are those of
// docs/metrics.md; a test holds metrics.json equal to it.

/** Gives every marked word of the page its definition. */
export async function explainWords() {
  const response = await fetch("metrics.json");
  if (!response.ok) throw new Error(`metrics.json answered ${response.status}.`);
  const definitions = await response.json();
  for (const word of document.querySelectorAll("[data-word]")) explain(word, definitions);
}

function explain(word, definitions) {
  const tip = document.createElement("span");
  tip.role = "tooltip";
  tip.className = "tip";
  tip.id = `word-${crypto.randomUUID()}`;
  tip.textContent = definitions[word.dataset.word];
  word.tabIndex = 0;
  word.className = "word";
  word.setAttribute("aria-describedby", tip.id);
  word.after(tip);
}
