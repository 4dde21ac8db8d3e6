/** The page that the address names. Links are plain <a href>; `follow` handles them without a page load. */
import { signal } from "@preact/signals";

export const TABS = ["videos", "guide", "members", "exports", "settings"] as const;
export type Tab = (typeof TABS)[number];

export type Route =
  | { page: "sign-in" }
  | { page: "projects" }
  | { page: "project"; project: number; tab: Tab }
  | { page: "studio"; video: number }
  | { page: "missing" };

export function parse(path: string): Route {
  if (path === "/") return { page: "projects" };
  if (path === "/sign-in") return { page: "sign-in" };
  const [, kind, id, rest] = path.split("/");
  const number = Number(id);
  if (Number.isInteger(number) && number > 0) {
    const tab = TABS.find((name) => name === (rest || "videos"));
    if (kind === "projects" && tab) return { page: "project", project: number, tab };
    if (kind === "videos" && !rest) return { page: "studio", video: number };
  }
  return { page: "missing" };
}

export const route = signal<Route>(parse(location.pathname));

/** The number of page changes since the page was loaded. */
export let visits = 0;

export function go(path: string): void {
  history.pushState(null, "", path);
  visits += 1;
  route.value = parse(location.pathname);
  scrollTo(0, 0);
}

export function follow(): void {
  addEventListener("popstate", () => {
    route.value = parse(location.pathname);
  });
  document.addEventListener("click", (event) => {
    const link = (event.target as Element).closest("a");
    if (
      !link ||
      link.target ||
      link.download ||
      event.ctrlKey ||
      event.metaKey ||
      event.shiftKey ||
      event.button
    )
      return;
    if (link.origin !== location.origin || link.hash || /^\/(api|admin|static)\//.test(link.pathname)) return;
    event.preventDefault();
    go(link.pathname);
  });
}
