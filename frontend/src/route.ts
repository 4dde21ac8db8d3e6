/** The page that the address names. Links are plain <a href>; `follow` handles them without a page load. */
import { signal } from "@preact/signals";

export const TABS = [
  "videos",
  "guide",
  "members",
  "exports",
  "numbers",
  "quality",
  "audit",
  "settings",
] as const;
export type Tab = (typeof TABS)[number];

export type Route =
  | { page: "sign-in" }
  | { page: "projects" }
  | { page: "work" }
  | { page: "audit" }
  | { page: "trash" }
  | { page: "status" }
  | { page: "account" }
  | { page: "teams" }
  | { page: "quotas" }
  | { page: "project"; project: number; tab: Tab }
  | { page: "studio"; video: number }
  | { page: "missing" };

export function parse(path: string): Route {
  if (path === "/") return { page: "projects" };
  if (path === "/work") return { page: "work" };
  if (path === "/audit") return { page: "audit" };
  if (path === "/trash") return { page: "trash" };
  if (path === "/status") return { page: "status" };
  if (path === "/account") return { page: "account" };
  if (path === "/teams") return { page: "teams" };
  if (path === "/quotas") return { page: "quotas" };
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

/** Addresses that the server renders by itself. */
const SERVED = /^\/(api|admin|static|sign-in|invitation)\//;

export const route = signal<Route>(parse(location.pathname));

/** What stands behind the question mark of the address: how a list is filtered and sorted, for example. */
export const query = signal<URLSearchParams>(new URLSearchParams(location.search));

/** The number of page changes since the page was loaded. */
export let visits = 0;

function read(): void {
  query.value = new URLSearchParams(location.search);
  route.value = parse(location.pathname);
}

/** Goes to an address of the page, which may have a query: `/projects/3?view=table`. */
export function go(path: string): void {
  const before = location.pathname;
  history.pushState(null, "", path);
  visits += 1;
  read();
  // The browser does not say this of an address that is pushed. An open video goes to the frame that it names.
  if (location.hash && location.pathname === before) dispatchEvent(new HashChangeEvent("hashchange"));
  scrollTo(0, 0);
}

/**
 * Goes to where a person was on the way to before signing in: the parameter `next` of the address. It may be an address
 * that the server renders, but never one of another site.
 */
export function goOn(): void {
  const wanted = wantedOf(query.value.get("next") ?? "/");
  if (!wanted || parse(wanted.pathname).page === "sign-in") go("/");
  else if (SERVED.test(wanted.pathname)) location.assign(wanted);
  else go(wanted.pathname + wanted.search + wanted.hash);
}

/** Returns an address of this site; null if `next` is none, or one of another site. */
function wantedOf(next: string): URL | null {
  try {
    const wanted = new URL(next, location.origin);
    return wanted.origin === location.origin ? wanted : null;
  } catch {
    return null; // No address, as "//" is none.
  }
}

/**
 * Changes the query of the address. Parameters that are null or empty are left out. The step back of the browser still
 * leaves the page, because the address is replaced.
 */
export function setQuery(changes: Record<string, string | null>): void {
  const next = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value) next.set(name, value);
    else next.delete(name);
  }
  const text = next.toString();
  history.replaceState(null, "", text ? `${location.pathname}?${text}` : location.pathname);
  query.value = next;
}

export function follow(): void {
  addEventListener("popstate", read);
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
    if (link.origin !== location.origin || link.hash || SERVED.test(link.pathname)) return;
    event.preventDefault();
    go(link.pathname + link.search);
  });
}
