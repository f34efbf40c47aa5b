// Reads TMDL, the text form of a Power BI semantic model: objects nested by tabs, `name: value` properties, expressions
// indented below their `=`. Only what our model uses; what it does not understand is an error with its line.

const OBJECT = /^(database|model|table|column|measure|partition|expression|relationship|role|tablePermission|annotation|ref table|ref role)\s+('(?:[^']|'')+'|[^\s=]+)\s*(?:(=)\s?(.*))?$/;
const EXPRESSION = /^(source)\s*=\s*(.*)$/;
const PROPERTY = /^([a-zA-Z]+):\s?(.*)$/;
const FLAG = /^(is[A-Z][a-zA-Z]*|discourageImplicitMeasures)$/;

/** The objects of one file: `{ kind, name, description, expression, properties, children, line }`, outermost first. */
export function parseTmdl(text, file) {
  const lines = text.split(/\r?\n/);
  const root = { children: [] };
  const open = [root];
  let description = [];
  let index = 0;
  while (index < lines.length) {
    const { depth, content } = indentation(lines[index], `${file}:${index + 1}`);
    const line = ++index;
    if (content === "") continue;
    if (content.startsWith("///")) {
      description.push(content.slice(3).trim());
      continue;
    }
    if (depth >= open.length) throw new Error(`${file}:${line}: indented too far: ${content}`);
    open.length = depth + 1;
    const owner = open[depth];
    const object = OBJECT.exec(content);
    const expression = EXPRESSION.exec(content);
    if (object) {
      const [, kind, name, equals, first] = object;
      const child = { kind, name: unquoted(name), description: description.join(" "), expression: first ?? "", properties: {}, children: [], line };
      // The lines of an object's expression stand one level deeper than its properties.
      if (equals && !first) [child.expression, index] = block(lines, index, depth + 2);
      owner.children.push(child);
      open.push(child);
      description = [];
    } else if (expression) {
      let value = expression[2];
      if (!value) [value, index] = block(lines, index, depth + 1);
      owner.properties[expression[1]] = value;
    } else {
      const [, name, value] = PROPERTY.exec(content) ?? FLAG.exec(content) ?? fail(`${file}:${line}: not understood: ${content}`);
      owner.properties[name] = value === undefined ? true : value.trim();
    }
  }
  return root.children;
}

function indentation(line, place) {
  const [, tabs, content] = /^(\t*)(.*)$/.exec(line);
  if (/^\s/.test(content)) throw new Error(`${place}: indented with something else than tabs`);
  return { depth: tabs.length, content: content.trimEnd() };
}

/** The lines from `start` that are indented by `depth` tabs or more, and the index after them. */
function block(lines, start, depth) {
  const tabs = "\t".repeat(depth);
  let end = start;
  while (end < lines.length && (lines[end].startsWith(tabs) || (lines[end].trim() === "" && lines[end + 1]?.startsWith(tabs)))) end += 1;
  return [lines.slice(start, end).map((line) => line.slice(depth)).join("\n"), end];
}

/** A name without its quotes. */
export function unquoted(name) {
  return name.startsWith("'") ? name.slice(1, -1).replaceAll("''", "'") : name;
}

/**
 * @returns {never}
 */
function fail(message) {
  throw new Error(message);
}
