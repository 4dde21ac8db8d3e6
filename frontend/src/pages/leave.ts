/** Asks before a page is left on which something is typed and not saved. */
import { useEffect } from "preact/hooks";
import { confirm } from "../parts/Confirm";
import { go, parse, type Route } from "../route";
import { forgetDrafts } from "./draft";

let unsaved = false;

/** Whether the page may be left: nothing is unsaved, or the person gives it up. */
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

/** The address that a click leads to inside of this program; undefined where it opens or loads something else. */
function followed(event: MouseEvent): string | undefined {
  const link = (event.target as Element).closest("a");
  if (!link || link.target || link.download || link.hash || link.origin !== location.origin) return undefined;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return undefined;
  return parse(link.pathname).page === "missing" ? undefined : link.pathname;
}

/**
 * While `dirty`, links and the browser's Back that leave the page ask first, and so does the browser when the tab is
 * closed or loaded anew. `here` is the page's own address; what `inside` names does not leave it.
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
    // The browser has gone there already: it is brought back until the person has answered.
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
