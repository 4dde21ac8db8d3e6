/** For tests: opens pages with answers of the server. */
import { act } from "preact/test-utils";
import { CARD, ME, PROJECT } from "../api/samples";
import { FakeServer } from "../api/testing";
import type { Role } from "../api/types";
import { Confirms } from "../parts/Confirm";
import { settled, show } from "../parts/testing";
import { parse, route, query as search } from "../route";
import Pages from "./Pages";

export const CARDS = "GET /api/projects/3/cards?order=added&limit=60";
export const cards = (...list: unknown[]) => ({ cards: list, next: null, total: list.length });

export async function open(path: string, answers: Record<string, unknown>): Promise<FakeServer> {
  const server = new FakeServer({ "GET /api/me": ME, "GET /api/projects": [PROJECT], ...answers });
  history.replaceState(null, "", path);
  route.value = parse(location.pathname);
  search.value = new URLSearchParams(location.search);
  await show(
    <>
      <Pages at={route.value} />
      <Confirms />
    </>,
  );
  for (let turn = 0; turn < 5; turn += 1) await act(settled); // who am I, the project, its videos
  return server;
}

/** The project page as somebody of this role sees it. */
export function openProject(role: Role, more: Record<string, unknown> = {}, tab = ""): Promise<FakeServer> {
  return open(`/projects/3${tab}`, {
    "GET /api/projects/3": { ...PROJECT, role },
    [CARDS]: cards(CARD),
    "GET /api/projects/3/members": [
      { user: { id: 1, username: "ada", name: "Ada" }, role },
      { user: { id: 2, username: "bo", name: "Bo" }, role: "annotator" },
    ],
    ...more,
  });
}
