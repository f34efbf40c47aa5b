// Says when Shoptrail is ready: when its module is there. The page has its script tag.

import { ready } from "./ready.js";

const { instantiateStreaming } = WebAssembly;
WebAssembly.instantiateStreaming = async (...args) => {
  const result = await instantiateStreaming(...args);
  setTimeout(() => {
    window.send = (item) => window.shoptrail("view_item", item);
    ready();
  });
  return result;
};
