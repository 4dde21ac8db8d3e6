/** Which page the address names. Links are plain <a href>; `follow` keeps them inside the page. */
import { signal } from "@preact/signals";

export type Route =
  | { page: "sign-in" }
  | { page: "projects" }
  | { page: "project"; project: number }
  | { page: "studio"; video: number }
  | { page: "missing" };

export function parse(path: string): Route {
  if (path === "/") return { page: "projects" };
  if (path === "/sign-in") return { page: "sign-in" };
  const [, kind, id, rest] = path.split("/");
  const number = Number(id);
  if (!rest && Number.isInteger(number) && number > 0) {
    if (kind === "projects") return { page: "project", project: number };
    if (kind === "videos") return { page: "studio", video: number };
  }
  return { page: "missing" };
}

export const route = signal<Route>(parse(location.pathname));

export function go(path: string): void {
  history.pushState(null, "", path);
  route.value = parse(location.pathname);
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
    if (link.origin !== location.origin || /^\/(api|admin|static)\//.test(link.pathname)) return;
    event.preventDefault();
    go(link.pathname);
  });
}
