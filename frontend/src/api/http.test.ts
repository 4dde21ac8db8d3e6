import { afterEach, expect, it, vi } from "vitest";
import { callAll } from "./http";

afterEach(() => vi.unstubAllGlobals());

it("reads a list in pages until its last one", async () => {
  const pages: Record<string, [number[], string?]> = {
    "/api/projects/3/videos?limit=2": [[1, 2], '<?limit=2&after=x%3D>; rel="next"'],
    "/api/projects/3/videos?limit=2&after=x%3D": [[3]],
  };
  vi.stubGlobal("fetch", async (address: string) => {
    const [rows, link] = pages[address] ?? [[-1]];
    return new Response(JSON.stringify(rows), { headers: link ? { Link: link } : {} });
  });
  const found = await callAll("/api/projects/{project_id}/videos", {
    path: { project_id: 3 },
    query: { limit: 2 },
  });
  expect(found).toEqual([1, 2, 3]);
});
