/** The tracker takes events from now on: how long after its script began to load. */
export const ready = () => {
  window.readyMs = performance.now() - window.tagMs;
};
