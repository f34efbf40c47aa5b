// Reads what the local stack serves under /data/, and hears when there is something newer.

/** What went wrong while reading `/data/…`, in words for the reader of the page. */
export class SourceError extends Error {}

/** Reads an answer. The browser keeps it and asks only whether it changed. */
export async function readJson(address, signal) {
  let response;
  try {
    response = await fetch(address, { signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new SourceError(
      "The figures cannot be reached. Is the local stack (shoptrail local) still running?",
    );
  }
  if (!response.ok) {
    const path = address.split("?")[0];
    throw new SourceError(
      `${path} answered ${response.status}. Look into logs/build.log in the data directory.`,
    );
  }
  try {
    return await response.json();
  } catch {
    throw new SourceError(`${address} is not JSON.`);
  }
}

/**
 * Calls `published` with the publication now and with each newer one, and `lost` while the server does not answer. A page
 * that nobody sees holds no connection: so nothing is computed for it.
 */
export function followChanges({ published, lost }) {
  let events = null;
  const open = () => {
    events = new EventSource("/data/changes");
    events.addEventListener("published", (event) => published(JSON.parse(event.data)));
    // The browser connects again by itself, unless the server refused.
    events.addEventListener("error", () => {
      lost();
      if (events?.readyState === EventSource.CLOSED) {
        close();
        setTimeout(follow, RECONNECT_MS);
      }
    });
  };
  const close = () => {
    events?.close();
    events = null;
  };
  const follow = () => {
    if (document.hidden) close();
    else if (!events) open();
  };
  document.addEventListener("visibilitychange", follow);
  follow();
}

const RECONNECT_MS = 2000;
