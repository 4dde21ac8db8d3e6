import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, test } from "vitest";
import { get } from "../parts/testing";
import { type Draft, useDraft } from "./draft";

let draft: Draft<string>;
let root: HTMLElement | null = null;

function Probe({ stored }: { stored: string }) {
  draft = useDraft(stored);
  return <output data-testid="shown">{`${draft.value}${draft.dirty ? " *" : ""}`}</output>;
}

async function store(stored: string) {
  root ??= document.body.appendChild(document.createElement("div"));
  const at = root;
  await act(() => render(<Probe stored={stored} />, at));
}

const shown = () => get("shown").textContent;

afterEach(() => {
  if (root) render(null, root);
  root?.remove();
  root = null;
});

test("a draft follows what is stored until somebody edits it, and is not overwritten then", async () => {
  await store("a");
  await store("b");
  expect(shown()).toBe("b");
  await act(() => draft.set("mine"));
  await store("theirs");
  expect(shown()).toBe("mine *");
  await act(() => draft.done());
  expect(shown()).toBe("theirs");
});

test("what is typed while it is being saved stays", async () => {
  await store("a");
  await act(() => draft.set("first"));
  const sent = draft.value;
  await act(() => draft.set("first and second"));
  await store("first");
  await act(() => draft.done(sent));
  expect(shown()).toBe("first and second *");
  await act(() => draft.done(draft.value));
  expect(shown()).toBe("first");
});
