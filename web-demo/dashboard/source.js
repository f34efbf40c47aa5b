// Reads the gold tables that the local stack serves under /data/.

/** What went wrong while reading `/data/…`, in words for the reader of the page. */
export class SourceError extends Error {}

/** The published version: `{version, built_at, time_zone?}`. It changes when a build published. */
export function readVersion() {
  return readJson("/data/version");
}

/** Reads the tables named; resolves to `{name: rows}`. */
export async function readTables(names) {
  const tables = await Promise.all(names.map((name) => readJson(`/data/${name}.json`)));
  tables.forEach((rows, index) => {
    if (!Array.isArray(rows))
      throw new SourceError(`/data/${names[index]}.json is not a list of rows.`);
  });
  return Object.fromEntries(names.map((name, index) => [name, tables[index]]));
}

async function readJson(address) {
  let response;
  try {
    response = await fetch(address, { cache: "no-store" });
  } catch {
    throw new SourceError(
      `${address} cannot be reached. Is the local stack (shoptrail local) still running?`,
    );
  }
  if (!response.ok) {
    throw new SourceError(
      `${address} answered ${response.status}. Look into logs/build.log in the data directory.`,
    );
  }
  try {
    return await response.json();
  } catch {
    throw new SourceError(`${address} is not JSON.`);
  }
}
