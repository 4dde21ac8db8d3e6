/**
 * Which room of src/ may import which, checked by `npm run lint`. Imports of types count. Whatever is not named here is
 * forbidden, so that a new room has to be put into its place. Tests may import everything.
 */

/** Files that every room may import: the socket's messages, formats of numbers and names, the page's address. */
const EVERYWHERE = ["protocol", "format", "route"];

/** Each room with the rooms below it, lowest first. */
const ROOMS = {
  api: [],
  parts: [],
  masks: [],
  state: ["api", "masks", "parts"],
  connection: ["masks", "state"],
  canvas: ["api", "masks", "state"],
  studio: ["api", "canvas", "connection", "state"],
  jobs: ["api", "parts"],
  actions: ["api", "connection", "jobs", "masks", "parts", "state", "studio"],
  tools: ["actions", "canvas", "masks", "parts", "state", "studio"],
  exports: ["api", "parts"],
  notifications: ["api", "parts"],
  panels: ["actions", "api", "canvas", "exports", "jobs", "masks", "parts", "state", "studio", "tools"],
  editor: [
    "actions",
    "api",
    "canvas",
    "connection",
    "jobs",
    "masks",
    "panels",
    "parts",
    "state",
    "studio",
    "tools",
  ],
  uploads: ["api"],
  imports: ["api", "parts", "uploads"],
  pages: ["api", "connection", "exports", "imports", "jobs", "notifications", "parts", "uploads"],
};

const TEST = "\\.test\\.tsx?$|/testing\\.tsx?$|/samples\\.ts$";
const room = (names) => `^src/(${names.join("|")})[/.]`;

export default {
  forbidden: [
    {
      name: "no-circles",
      comment: "Modules that import each other cannot be understood or tested one by one.",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    ...Object.entries(ROOMS).map(([name, below]) => ({
      name: `${name}-imports-downward`,
      comment: `${name}/ may import ${[...below, ...EVERYWHERE].join(", ")} (.dependency-cruiser.js).`,
      severity: "error",
      from: { path: `^src/${name}/`, pathNot: TEST },
      to: { path: "^src/", pathNot: [room([name, ...below, ...EVERYWHERE]), "\\.css$"] },
    })),
    {
      name: "every-room-has-a-place",
      comment: "A new folder of src/ is entered in ROOMS of .dependency-cruiser.js.",
      severity: "error",
      from: { path: "^src/[^/]+/", pathNot: room(Object.keys(ROOMS)) },
      to: {},
    },
    {
      name: "the-ground-imports-nothing-above",
      comment: `${EVERYWHERE.join(", ")} are imported by everybody, so they import none of the rooms.`,
      severity: "error",
      from: { path: room(EVERYWHERE), pathNot: TEST },
      to: { path: "^src/[^/]+/" },
    },
    {
      name: "tests-stay-apart",
      comment: "What is made for tests is not for the page.",
      severity: "error",
      from: { path: "^src/", pathNot: TEST },
      to: { path: TEST },
    },
    {
      name: "what-is-imported-exists",
      comment: "A module that cannot be found, or a package that package.json does not name.",
      severity: "error",
      from: { path: "^src/" },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true, // imports of types count
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "require", "node", "default"],
    },
  },
};
