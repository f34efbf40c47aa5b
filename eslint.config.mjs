// Few rules, each for a fault that was made or seen; form is Prettier's business and types are TypeScript's.

import js from "@eslint/js";
import globals from "globals";

const rules = {
  ...js.configs.recommended.rules,
  eqeqeq: "error",
  "no-sequences": "error",
  "no-var": "error",
  "prefer-const": "error",
  "no-implicit-coercion": ["error", { boolean: false, number: false }],
  "no-unused-vars": [
    "error",
    { ignoreRestSiblings: true, argsIgnorePattern: "^_", varsIgnorePattern: "^_" },
  ],
  "no-cond-assign": ["error", "except-parens"],
  "array-callback-return": "error",
};

export default [
  {
    ignores: [
      "**/node_modules/",
      "target/",
      "data/",
      "edge-worker/build/",
      "edge-worker/.wrangler/",
    ],
  },
  { files: ["**/*.js", "**/*.mjs"], rules },
  {
    files: ["bench/tracker/peers/*.js", "collector-wasm/npm/*.js", "web-demo/**/*.js"],
    languageOptions: { globals: globals.browser },
  },
  {
    // What the build puts in.
    files: ["collector-wasm/js/**/*.js"],
    languageOptions: {
      globals: {
        ...globals.browser,
        BEHAVIOUR: "readonly",
        CONSENT_PLATFORMS: "readonly",
        ERRORS: "readonly",
        GA4: "readonly",
        PANEL: "readonly",
        VERSION: "readonly",
      },
    },
  },
  {
    files: ["edge-worker/js/**/*.js"],
    languageOptions: { globals: { ...globals.serviceworker, WebAssembly: "readonly" } },
  },
  {
    // Tests reach into pages: what they give to `evaluate` runs in a browser.
    files: ["**/*.mjs"],
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
  },
];
