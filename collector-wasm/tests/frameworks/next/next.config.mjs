import { fileURLToPath } from "node:url";

export default {
  output: "export",
  // Where this page's packages are: above it there are others.
  turbopack: { root: fileURLToPath(new URL("..", import.meta.url)) },
  // The cache would be written for nobody: each build of the tests is the only one.
  experimental: { turbopackFileSystemCacheForBuild: false },
};
