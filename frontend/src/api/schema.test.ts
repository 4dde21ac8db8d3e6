// @vitest-environment node
import { readFileSync } from "node:fs";
import openapiTS, { astToString, COMMENT_HEADER } from "openapi-typescript";
import { expect, it } from "vitest";

it("schema.ts is what openapi.json says: run `npm run types` when this fails", {
  timeout: 30_000,
}, async () => {
  const schema = new URL("../../openapi.json", import.meta.url);
  const types = COMMENT_HEADER + astToString(await openapiTS(schema, { defaultNonNullable: false }));
  expect(types).toBe(readFileSync(new URL("schema.ts", import.meta.url), "utf8"));
});
