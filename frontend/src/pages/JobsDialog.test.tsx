import { act } from "preact/test-utils";
import { afterEach, expect, it, vi } from "vitest";
import { JOB, VIDEO } from "../api/samples";
import { type Asked, FakeServer } from "../api/testing";
import { fire, get, hide, settled, show, type } from "../parts/testing";
import { JobsDialog } from "./JobsDialog";

const PATCH = "PATCH /api/jobs/21";

async function open(): Promise<FakeServer> {
  let edition = 1;
  const server = new FakeServer({
    "GET /api/jobs?video=7&limit=500": { jobs: [JOB], total: 1 },
    [PATCH]: async ({ body }: Asked) => {
      await settled();
      edition += 1;
      return { ...JOB, ...(body as object), edition };
    },
  });
  await show(<JobsDialog video={VIDEO} members={[]} onClose={() => {}} onChanged={() => {}} />);
  await act(settled);
  return server;
}

const sent = (server: FakeServer) =>
  server.asked.filter(({ method }) => method === "PATCH").map(({ body }) => body);

afterEach(() => {
  hide();
  vi.unstubAllGlobals();
});

it("a due date is sent when the field is left, not after each digit", async () => {
  const server = await open();
  for (const value of ["0002-05-04", "0203-05-04", "2031-05-04"]) await type("jobs-due-21", value);
  expect(sent(server)).toEqual([]);
  await fire("jobs-due-21", new FocusEvent("focusout"));
  await act(settled);
  expect(sent(server)).toEqual([{ edition: 1, due: "2031-05-04" }]);
  expect(get<HTMLInputElement>("jobs-due-21").value).toBe("2031-05-04");
});

it("several changes of a job at once are sent one after the other, each with the newest edition", async () => {
  const server = await open();
  await type("jobs-due-21", "2031-05-04");
  const priority = get<HTMLSelectElement>("jobs-priority-21");
  await act(() => {
    get("jobs-due-21").dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", bubbles: true }));
    priority.value = "2";
    priority.dispatchEvent(new Event("change", { bubbles: true }));
    priority.value = "1";
    priority.dispatchEvent(new Event("change", { bubbles: true }));
  });
  for (let turn = 0; turn < 9; turn += 1) await act(settled);
  expect(sent(server)).toEqual([
    { edition: 1, due: "2031-05-04" },
    { edition: 2, priority: 2 },
    { edition: 3, priority: 1 },
  ]);
});
