/**
 * Sends the rounds in `store.queue` one after another, and resolves conflicts with rounds of other people. The server
 * keeps a round until it is its turn, so a round that was sent is computed even if the page is closed.
 */
import { effect, signal } from "@preact/signals";
import { Refused } from "../connection/outbox";
import { toast, toastError } from "../parts/Toast";
import type { Waiting } from "../state/store";
import type { Studio } from "../studio/studio";
import { limitsOf } from "./scope";
import { versionStep } from "./versionStep";

// Two people can make the base stale a few times in a row. More conflicts than this mean that something is wrong.
const MOST_CONFLICTS = 3;
// The change log follows an acknowledgement within milliseconds, unless another person has moved the head meanwhile.
const LOG_WITHIN = 2000; // ms
// After a conflict, the change log has this time to say where the head is.
export const SETTLED_AFTER = 80; // ms

/** Watches the store until `close` is called. */
export class RunQueue {
  private starting = false;
  // The round that was acknowledged last, until the change log says that it is the head. Before that the page's head is
  // stale, and the server would refuse a round that starts from it.
  private readonly expected = signal<number | null>(null);
  private conflicts = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly end: () => void;

  constructor(private readonly studio: Studio) {
    this.end = effect(() => this.follow());
  }

  close(): void {
    this.end();
    clearTimeout(this.timer);
  }

  /** Runs as an effect: it follows the queue, the head and the connection. */
  private follow(): void {
    clearTimeout(this.timer);
    const item = this.next();
    if (item?.again)
      this.timer = setTimeout(() => {
        const still = this.next();
        if (still) this.start(still);
      }, SETTLED_AFTER);
    else if (item) this.start(item);
  }

  /** Returns the item that can be sent now. */
  private next(): Waiting | undefined {
    const { store } = this.studio;
    const item = store.queue.value[0];
    if (this.expected.value !== null && this.expected.value === store.head.value) this.expected.value = null;
    const ready = !this.starting && this.expected.value === null && store.connection.value === "live";
    return ready ? item : undefined;
  }

  private start(item: Waiting): void {
    const { store } = this.studio;
    store.queue.value = store.queue.peek().slice(1);
    const drawn = store.mine.peek().some((scribble) => item.frames.includes(scribble.frame));
    if (!drawn && !item.fromMasks) return; // The scribbles were undone meanwhile.
    // The step is there before the server answers, so that undo takes back the round and nothing older.
    const step = versionStep(
      this.studio,
      (key, undone) => this.send(item, key, undone),
      () => {},
      () => this.release(),
    );
    this.studio.history.push({ name: "round", ...step });
  }

  /** Sends a round. Resolves to its id, or to null if it was refused. `undone` says whether the person took it back. */
  private send(item: Waiting, key: string, undone: () => boolean): Promise<number | null> {
    const { store, outbox } = this.studio;
    this.starting = true;
    const frames = [...item.frames];
    return outbox
      .send({
        type: "round.run",
        key,
        frames,
        engine: store.engine.peek(),
        base: store.head.peek(),
        ...(item.limits ?? limitsOf(this.studio, frames)),
        ...(item.fromMasks && { from_masks: true }),
        ...(!item.supersedes && { supersedes: false }),
      })
      .then(
        ({ result }) => {
          this.conflicts = 0;
          if (result !== null) this.started(result);
          this.release();
          return result;
        },
        (problem) => {
          this.refused(item, problem, undone());
          this.release();
          return null;
        },
      );
  }

  private release(): void {
    this.starting = false;
    this.follow();
  }

  private started(round: number): void {
    const { store } = this.studio;
    if (store.head.peek() === round) return;
    this.expected.value = round;
    setTimeout(() => {
      if (this.expected.peek() === round) this.expected.value = null;
    }, LOG_WITHIN);
  }

  private refused(item: Waiting, problem: unknown, undone: boolean): void {
    const { store } = this.studio;
    if (!(problem instanceof Refused) || problem.code !== "conflict") {
      toastError(problem);
      return;
    }
    store.head.value = problem.head;
    if (undone) return;
    if (++this.conflicts >= MOST_CONFLICTS) {
      this.conflicts = 0;
      const text = "The video kept changing meanwhile. Your scribbles are kept: press Run to try again.";
      toast({ text, tone: "bad" });
      return;
    }
    store.queue.value = [{ ...item, again: true }, ...store.queue.peek()];
    const head = problem.head === null ? undefined : store.rounds.peek().get(problem.head);
    if (head?.author.id === store.you.peek()?.id) return; // The person did it in another window.
    const who = head ? `${head.author.name} ran round ${head.number}` : "Somebody changed the video";
    toast({ text: `${who} while you were drawing. Your scribbles are kept and run on top of it.` });
  }
}
