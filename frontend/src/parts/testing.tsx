/** For tests: shows a component and finds elements by data-testid. */
import type { ComponentChild } from "preact";
import { render } from "preact";
import { act } from "preact/test-utils";

let root: HTMLElement | null = null;

export async function show(child: ComponentChild): Promise<void> {
  hide();
  root = document.body.appendChild(document.createElement("div"));
  const at = root;
  await act(() => render(child, at));
}

export function hide(): void {
  if (root) render(null, root);
  root?.remove();
  root = null;
}

export function query<E extends HTMLElement = HTMLElement>(testid: string): E | null {
  return document.querySelector<E>(`[data-testid="${testid}"]`);
}

export function get<E extends HTMLElement = HTMLElement>(testid: string): E {
  const found = query<E>(testid);
  if (!found) throw new Error(`Nothing has data-testid="${testid}". There is: ${document.body.innerHTML}`);
  return found;
}

/** Dispatches an event and waits until the page has settled. */
export async function fire(testid: string, event: Event): Promise<void> {
  await act(async () => {
    get(testid).dispatchEvent(event);
    await settled();
  });
}

export async function click(testid: string): Promise<void> {
  await act(async () => {
    get(testid).click();
    await settled();
  });
}

export async function press(
  key: string,
  at: EventTarget = document.activeElement ?? document,
): Promise<void> {
  await act(async () => {
    at.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
    await settled();
  });
}

export async function type(testid: string, value: string): Promise<void> {
  const field = get<HTMLInputElement>(testid);
  field.value = value;
  await fire(testid, new InputEvent("input", { bubbles: true }));
}

/** Waits until promises that are already resolved have run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
