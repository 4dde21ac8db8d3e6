import { act } from "preact/test-utils";
import { expect, test } from "vitest";
import { ME } from "./api/samples";
import { me } from "./api/session";
import { useDraft } from "./pages/draft";
import { asked, confirm } from "./parts/Confirm";
import { get, show } from "./parts/testing";
import { go, query, route } from "./route";
import { keyBindings } from "./state/keyBindings";
import { clear } from "./testing";
import { jobs } from "./uploads/queue";

function Edited() {
  const draft = useDraft("stored", "edited");
  return (
    <button type="button" data-testid="edited" onClick={() => draft.set("typed")}>
      {draft.value}
    </button>
  );
}

test("what a test file leaves in shared modules is cleared before the next one", async () => {
  go("/projects/3/numbers?sort=rounds");
  me.value = ME;
  keyBindings.value = { "frame.next": ["F"] };
  void confirm({ title: "Delete", text: "It is lost.", yes: "Delete" });
  await show(<Edited />);
  await act(() => get("edited").click());
  expect([get("edited").textContent, route.value.page, query.value.get("sort")]).toEqual([
    "typed",
    "project",
    "rounds",
  ]);

  await clear();
  expect(route.value).toEqual({ page: "projects" });
  expect([...query.value]).toEqual([]);
  expect([me.value, keyBindings.value, jobs.value, asked.value]).toEqual([undefined, {}, [], null]);
  expect(document.body.childElementCount).toBe(0);
  await show(<Edited />);
  expect(get("edited").textContent).toBe("stored");
});
