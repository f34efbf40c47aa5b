// Waiting for a condition instead of for time.

const LOOK_MS = 200;

/**
 * Calls `look` until it returns something that is not false, null or undefined, and returns that. An exception counts as
 * "not yet". After `seconds` it fails, with what the last look came to.
 */
export async function until(what, look, seconds = 120) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    let last;
    try {
      last = await look();
      if (last !== false && last !== null && last !== undefined) return last;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
