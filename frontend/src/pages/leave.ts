/** Asks before a page with unsaved changes is left. */
import { useEffect } from "preact/hooks";
import { confirm } from "../parts/Confirm";
import { go, parse, type Route } from "../route";
import { forgetDrafts } from "./draft";

let unsaved = false;

/** Resolves to whether the page may be left: nothing is unsaved, or the person discards the changes. */
export async function mayLeave(): Promise<boolean> {
  if (!unsaved) return true;
  const agreed = await confirm({
    title: "Leave without saving?",
    text: "What you have typed here is not saved yet. If you leave, it is lost.",
    yes: "Discard changes",
  });
  if (agreed) forgetDrafts();
  return agreed;
}

async function leaveFor(path: string): Promise<void> {
  if (await mayLeave()) go(path);
}

/** Returns the address that a click on a link leads to within this page, undefined for other links. */
function followed(event: MouseEvent): string | undefined {
  const link = (event.target as Element).closest("a");
  if (!link || link.target || link.download || link.hash || link.origin !== location.origin) return undefined;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return undefined;
  return parse(link.pathname).page === "missing" ? undefined : link.pathname;
}

/**
 * While `dirty`, links and the Back button ask before they leave the page, and the browser asks before the tab is
 * closed or reloaded. `here` is the address of the page; routes for which `inside` is true do not leave it.
 */
export function useLeaveGuard(dirty: boolean, here: string, inside: (to: Route) => boolean): void {
  useEffect(() => {
    if (!dirty) return;
    unsaved = true;
    const click = (event: MouseEvent): void => {
      const path = followed(event);
      if (path === undefined || inside(parse(path))) return;
      event.preventDefault();
      event.stopPropagation();
      leaveFor(path);
    };
    // The browser has already changed the address. It is changed back until the person has answered.
    const back = (event: PopStateEvent): void => {
      const path = location.pathname;
      if (inside(parse(path))) return;
      event.stopImmediatePropagation();
      history.pushState(null, "", here);
      leaveFor(path);
    };
    const unload = (event: BeforeUnloadEvent): void => event.preventDefault();
    document.addEventListener("click", click, true);
    addEventListener("popstate", back, true);
    addEventListener("beforeunload", unload);
    return () => {
      unsaved = false;
      document.removeEventListener("click", click, true);
      removeEventListener("popstate", back, true);
      removeEventListener("beforeunload", unload);
    };
  }, [dirty, here]);
}
