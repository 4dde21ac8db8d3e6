/**
 * Loads what the page needs of rounds that the state of the video does not have: the pages of the list that the person
 * asks for, the rounds that are shown or that undo leads to, what their lines amount to, and the scribbles of the frame
 * in view.
 */
import { batch, effect } from "@preact/signals";
import { call, HttpProblem } from "../api/http";
import { toastError } from "../parts/Toast";
import type { LineInfo, RoundInfo } from "../protocol";
import { baseOf, lineOf, missesAhead } from "../state/line";
import { joinedTo } from "../state/loadedRounds";
import { covers } from "../state/ranges";
import type { Older, Store } from "../state/store";

const PAGE = 30; // rounds
const MOST_SCRIBBLES = 200; // of a frame, the newest ones
const AGAIN_AFTER = 5000; // ms before something that failed is asked for again
const MOST_TRIES = 4; // of what the server refuses, until the page connects again

/** Names the scribbles of a frame on a line in `store.olderScribbles`. */
export function partOf(line: LineInfo, frame: number): string {
  return `${line.round}/${frame}`;
}

export function loadOlderRounds(store: Store): () => void {
  const loader = new Loader(store);
  return () => loader.close();
}

class Loader {
  private readonly asked = new Set<string>(); // what is being loaded, or has just failed
  private readonly told = new Set<string>(); // failures that a toast has told of
  private readonly refused = new Map<string, number>(); // how often the server has refused what was asked for
  private readonly timers = new Set<ReturnType<typeof setTimeout>>();
  private readonly ends: (() => void)[];
  private closed = false;

  constructor(private readonly store: Store) {
    this.ends = [
      effect(() => {
        if (store.connection.value !== "live") return;
        this.stopTimers();
        this.asked.clear();
        this.refused.clear();
        if (store.loading.peek() === "failed") store.loading.value = "idle";
      }),
      effect(() => this.follow()),
    ];
  }

  close(): void {
    this.closed = true;
    for (const end of this.ends) end();
    this.stopTimers();
  }

  private stopTimers(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  /** Runs as an effect: it follows the rounds that are shown, the frame in view and the list. */
  private follow(): void {
    const { store } = this;
    if (store.connection.value !== "live") return;
    for (const id of wantedRounds(store)) this.ask(`round ${id}`, () => this.loadRound(id));
    const isAsked = (id: number): boolean => this.asked.has(`line ${id}`);
    for (const tip of wantedLines(store, isAsked)) this.ask(`line ${tip}`, () => this.loadLine(tip));
    this.askForScribbles();
    const older = store.older.value;
    if (older && store.pagesHere.value < store.pages.value && store.loading.value === "idle")
      void this.loadPage(older);
  }

  private ask(what: string, load: () => Promise<void>): void {
    if (this.asked.has(what)) return;
    this.asked.add(what);
    load().then(
      () => {
        this.asked.delete(what);
        this.told.delete(what);
        this.refused.delete(what);
      },
      (problem) => {
        if (!this.closed) this.failed(what, problem);
      },
    );
  }

  /** Asks again after a while. Of a failed connection nothing is told here: the page shows whether it is connected. */
  private failed(what: string, problem: unknown): void {
    if (!isAway(problem) && !this.told.has(what)) {
      toastError(problem);
      this.told.add(what);
    }
    if (isRefusal(problem)) {
      const tries = (this.refused.get(what) ?? 0) + 1;
      this.refused.set(what, tries);
      if (tries >= MOST_TRIES) return;
    }
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.asked.delete(what);
      this.follow();
    }, AGAIN_AFTER);
    this.timers.add(timer);
  }

  private async loadRound(id: number): Promise<void> {
    const round = await call("GET", "/api/rounds/{round_id}", { path: { round_id: id } });
    if (!this.closed) this.add([round]);
  }

  private async loadLine(tip: number | null): Promise<void> {
    const { store } = this;
    const line = await call("GET", "/api/videos/{video_id}/line", {
      path: { video_id: store.id },
      query: { round: tip },
    });
    if (!this.closed) store.lines.value = new Map(store.lines.peek()).set(tip, line);
  }

  private askForScribbles(): void {
    const { store } = this;
    const { older } = store.line.value;
    const frame = store.frame.value;
    if (!older || older.round === null || !store.view.value.showUsed) return;
    if (!Object.values(older.scribbled).some((spans) => covers(spans, frame))) return;
    const part = partOf(older, frame);
    if (store.olderScribbles.value.has(part)) return;
    const query = { round: older.round, frame, limit: MOST_SCRIBBLES };
    this.ask(`scribbles ${part}`, async () => {
      const { scribbles } = await call("GET", "/api/videos/{video_id}/line/scribbles", {
        path: { video_id: store.id },
        query,
      });
      if (!this.closed)
        store.olderScribbles.value = new Map(store.olderScribbles.peek()).set(part, scribbles);
    });
  }

  /** Loads the next page of the list. If it fails, the list offers to try again. */
  private async loadPage({ before, count }: Older): Promise<void> {
    const { store } = this;
    store.loading.value = "busy";
    try {
      const page = await call("GET", "/api/videos/{video_id}/rounds", {
        path: { video_id: store.id },
        query: { before, limit: PAGE },
      });
      if (this.closed) return;
      if (store.older.peek()?.before === before) {
        this.add(page.rounds);
        this.reached(page.next === null ? null : { before: page.next, count: count - page.rounds.length });
      } // Otherwise a new state of the video has come meanwhile.
      store.loading.value = "idle";
    } catch (problem) {
      if (this.closed) return;
      store.loading.value = "failed";
      if (!(problem instanceof HttpProblem)) throw problem;
    }
  }

  /**
   * Stores where older rounds go on: at `older`, the end of the page that has come, or if this page has reached rounds
   * that were loaded before a gap, below those.
   */
  private reached(older: Older | null): void {
    const { store } = this;
    const joined = older && joinedTo(store.loadedBefore.peek(), older);
    batch(() => {
      store.older.value = joined;
      if (joined === older) store.pagesHere.value++;
      else {
        store.loadedBefore.value = null;
        store.pagesHere.value = store.pages.peek();
      }
    });
  }

  /** Adds rounds that are not there yet: of those that are, the socket has told more since. */
  private add(loaded: readonly RoundInfo[]): void {
    const rounds = new Map(this.store.rounds.peek());
    for (const round of loaded) if (!rounds.has(round.id)) rounds.set(round.id, round);
    this.store.rounds.value = rounds;
  }
}

/** Returns the rounds that are shown or compared, the head, and their bases, as far as they are not loaded. */
function wantedRounds(store: Store): Set<number> {
  const rounds = store.rounds.value;
  const shown = [store.head.value, store.looking.value, store.compare.value?.other];
  const wanted = new Set<number>();
  for (const id of [...shown, store.shownBase.value, baseOf(rounds, store.head.value)])
    if (typeof id === "number" && !rounds.has(id)) wanted.add(id);
  return wanted;
}

/**
 * Returns the rounds whose lines have to be known in short, unless that of a round above them is already asked for, and
 * the head where redo may lead to a round that is not loaded.
 */
function wantedLines(store: Store, isAsked: (id: number) => boolean): Set<number | null> {
  const [rounds, lines, head] = [store.rounds.value, store.lines.value, store.head.value];
  const wanted = new Set<number | null>();
  for (const tip of [store.shownRound.value, head, store.shownBase.value, store.compare.value?.other]) {
    const { ids, missing } = lineOf(rounds, tip ?? null, lines);
    if (missing !== null && !ids.some(isAsked)) wanted.add(missing);
  }
  if (missesAhead(store.older.value?.before ?? 0, head, lines)) wanted.add(head);
  return wanted;
}

function isAway(problem: unknown): boolean {
  return problem instanceof HttpProblem && problem.code === "offline";
}

/** Whether the server refused what was asked for, so that it will probably refuse it again. */
function isRefusal(problem: unknown): boolean {
  return (
    problem instanceof HttpProblem && problem.status >= 400 && problem.status < 500 && problem.status !== 429
  );
}
