// Reads DAX, the language of measures, into a tree. Its syntax, not its meaning; evaluate.mjs knows what our measures mean.

const TOKEN = /\s+|("(?:[^"]|"")*")|('(?:[^']|'')+')|(\[[^\]]+\])|(\d+(?:\.\d+)?)|([A-Za-z_][A-Za-z0-9_.]*)|(<>|<=|>=|&&|\|\||[-+*/^&=<>(){},])/y;
/** Binary operators by precedence, the loosest first. */
const LEVELS = [["||"], ["&&"], ["=", "<>", "<", ">", "<=", ">=", "IN"], ["&"], ["+", "-"], ["*", "/"], ["^"]];

/** The tree of a DAX expression. Throws an error that shows the place where it is wrong. */
export function parseDax(text) {
  const tokens = tokenize(text);
  let position = 0;
  const peek = () => tokens[position] ?? { kind: "end", text: "the end" };
  const isAt = (word) => ["operator", "name"].includes(peek().kind) && peek().text.toUpperCase() === word;
  const accept = (word) => isAt(word) && Boolean((position += 1));
  const expect = (word) => accept(word) || unexpected(word);

  function unexpected(wanted) {
    throw new Error(`DAX: expected ${wanted}, found ${peek().text} in: ${text.trim().split("\n")[0]}`);
  }

  function expression() {
    if (!isAt("VAR")) return binary(0);
    const variables = [];
    while (accept("VAR")) {
      const name = tokens[position++].text;
      expect("=");
      variables.push({ name, value: expression() });
    }
    expect("RETURN");
    return { kind: "let", variables, body: expression() };
  }

  function binary(level) {
    if (level === LEVELS.length) return unary();
    let left = binary(level + 1);
    for (;;) {
      const operator = LEVELS[level].find((symbol) => accept(symbol));
      if (!operator) return left;
      left = { kind: "binary", operator, left, right: binary(level + 1) };
    }
  }

  function unary() {
    if (accept("-")) return { kind: "binary", operator: "-", left: { kind: "literal", value: 0 }, right: unary() };
    return primary();
  }

  function list(end) {
    const items = [];
    if (accept(end)) return items;
    do {
      items.push(expression());
    } while (accept(","));
    expect(end);
    return items;
  }

  function primary() {
    const token = peek();
    position += 1;
    if (token.kind === "string") return { kind: "literal", value: token.text.slice(1, -1).replaceAll('""', '"') };
    if (token.kind === "number") return { kind: "literal", value: Number(token.text) };
    if (token.kind === "bracket") return { kind: "measure", name: token.text.slice(1, -1) };
    if (token.kind === "quoted" || token.kind === "name") return named(token);
    if (token.text === "(") {
      const inside = expression();
      expect(")");
      return inside;
    }
    if (token.text === "{") return { kind: "rows", rows: list("}") };
    position -= 1;
    return unexpected("a value");
  }

  function named(token) {
    const name = token.kind === "quoted" ? token.text.slice(1, -1).replaceAll("''", "'") : token.text;
    if (peek().kind === "bracket") return { kind: "column", table: name, name: tokens[position++].text.slice(1, -1) };
    if (token.kind === "name" && accept("(")) return { kind: "call", name: name.toUpperCase(), arguments: list(")") };
    return { kind: token.kind === "quoted" ? "table" : "name", name };
  }

  const tree = expression();
  if (position < tokens.length) unexpected("the end");
  return tree;
}

function tokenize(text) {
  const kinds = ["string", "quoted", "bracket", "number", "name", "operator"];
  const tokens = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const start = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) throw new Error(`DAX: ${text.slice(start, start + 20)} is not understood`);
    const kind = kinds.find((_, index) => match[index + 1] !== undefined);
    if (kind) tokens.push({ kind, text: match[0] });
  }
  return tokens;
}

/** Every node of a tree. */
export function* nodes(tree) {
  yield tree;
  const below = [tree.left, tree.right, tree.body, ...(tree.arguments ?? []), ...(tree.rows ?? []), ...(tree.variables ?? []).map(({ value }) => value)];
  for (const child of below) if (child) yield* nodes(child);
}
