// Where visuals stand on a page, and on a phone's screen. As in the cross-check, problems are sentences with their file.

/** Desktop's canvas of a phone is this wide; it is as high as its visuals, and scrolls. */
const PHONE_WIDTH = 324;

/** What a phone has no use for: its app has a way back of its own. */
const NOT_ON_PHONES = ["actionButton"];

/** Visuals keep to themselves and are read in the order of the tab key, on both. */
export function layout({ visuals, phone }) {
  return [visuals, phone].flatMap((boxes) => [...overlaps(boxes), ...early(boxes)]);
}

/** On a phone stands what stands on the page, no wider than its screen. */
export function onPhone({ visuals, phone }) {
  const folder = ({ path }) => path.slice(0, path.lastIndexOf("/"));
  const placed = new Set(phone.map(folder));
  const missing = visuals.filter((visual) => !placed.has(folder(visual)) && !NOT_ON_PHONES.includes(visual.json.visual.visualType));
  const wide = phone.filter(({ json: { position } }) => position.x < 0 || position.y < 0 || position.x + position.width > PHONE_WIDTH);
  const lost = phone.filter((box) => !visuals.some((visual) => folder(visual) === folder(box)));
  return [
    ...missing.map(({ path }) => `${path}: is on no phone`),
    ...wide.map(({ path }) => `${path}: beyond the screen`),
    ...lost.map(({ path }) => `${path}: of no visual`),
  ];
}

const page = ({ path }) => path.split("/visuals/")[0];

function overlaps(all) {
  const boxes = all.map((box) => ({ path: box.path, page: page(box), ...box.json.position }));
  const overlap = (a, b) => a.page === b.page && a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
  return boxes.flatMap((a, index) => boxes.slice(index + 1).filter((b) => overlap(a, b)).map((b) => `${a.path} overlaps ${b.path}`));
}

/** What the tab key comes to before something that is read first: by rows, each from the left. */
function early(all) {
  return [...new Set(all.map(page))].flatMap((name) => {
    const read = all.filter((box) => page(box) === name).toSorted(({ json: { position: a } }, { json: { position: b } }) => a.y - b.y || a.x - b.x);
    const wrong = read.filter(({ json }, index) => index > 0 && json.position.tabOrder <= read[index - 1].json.position.tabOrder);
    return wrong.map(({ path }) => `${path}: the tab key comes to it too early`);
  });
}
