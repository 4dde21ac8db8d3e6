/** Keeps the list of a project's videos up to date: the server tells over a socket which of them have changed. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Card, CardFilter } from "../api/types";
import { followProject } from "../connection/projectSocket";
import { type CardList, withChanged, withProgress } from "./cardList";

export interface LiveList {
  /** Names the filter, so that an answer to an earlier one is not put into the list. */
  key: string;
  value: CardList | null;
  order: CardFilter["order"];
  reload: () => Promise<void>;
  set: (change: (list: CardList) => CardList) => void;
  /** Asks the server of these videos under the filter of the list. Throws if it cannot be asked. */
  ask: (ids: readonly number[]) => Promise<readonly Card[]>;
}

/** Follows the project as long as the list is shown. Returns whether changes are told, so that polling can be rare. */
export function useLiveList(project: number, list: LiveList): boolean {
  const [live, setLive] = useState(false);
  const now = useRef(list);
  now.current = list;
  useEffect(() => {
    const waiting = new Set<number>();
    let asking = false;
    let ended = false;
    /** Asks for what has changed, one request at a time: what is told meanwhile is asked for together afterwards. */
    const take = async () => {
      if (asking) return;
      asking = true;
      while (waiting.size && !ended) {
        const ids = [...waiting];
        waiting.clear();
        if (!(await merge(ids, now))) for (const id of ids) waiting.add(id);
      }
      asking = false;
    };
    const stop = followProject(project, {
      live: setLive,
      changed: (message) => {
        if (message.all) now.current.reload();
        if (message.progress.length) now.current.set((old) => withProgress(old, message.progress));
        for (const id of message.changed) waiting.add(id);
        take();
      },
    });
    return () => {
      ended = true;
      stop();
    };
  }, [project]);
  return live;
}

/** Asks for changed videos and shows them. Returns false if the filter was changed meanwhile, so that they are asked again. */
async function merge(ids: readonly number[], now: { current: LiveList }): Promise<boolean> {
  const { key, ask } = now.current;
  const found = await ask(ids).catch(() => null);
  const { value, order, set, reload } = now.current;
  if (now.current.key !== key) return false;
  const merged = found && value && withChanged(value, ids, found, order);
  if (merged) set((old) => withChanged(old, ids, found, order) ?? old);
  else await reload(); // If the server could not be asked, this says why.
  return true;
}
