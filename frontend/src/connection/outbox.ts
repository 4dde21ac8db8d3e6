/**
 * Messages on their way: each is kept (in memory and on the shelf) until the server acknowledged or refused it, and is
 * sent again after every reconnect and reload. The server acts once per key, so nothing is lost and nothing doubled.
 * A message that the database did not take is not refused: all go out again after a pause, which grows from try to try.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Ack, Error as Refusal } from "../protocol";
import { delay } from "./backoff";
import type { Entry, Keyed, Shelf } from "./outboxStorage";

const NOT_STORED = "not_stored"; // the server's word for: the database was away, try again
const FIRST_PAUSE = 2; // as the third try of a connection: about 1 s, then doubling to 8 s
const MOST_HELD = 5; // how often one refusal is taken for the fault of a message before it

export class Refused extends Error {
  constructor(
    readonly code: string,
    text: string,
    readonly head: number | null,
  ) {
    super(text);
  }
}

export interface Answer {
  result: number | null; // number of the object or id of the round that was made
  again: boolean; // it was sent more than once, so its effect may be older than what the page knows
}

interface Waiting extends Entry {
  sent: number; // how often
  unstored: boolean; // the database did not take it when it was sent last
  held: number; // refusals that may have come only because a message before it is not stored
  resolve: (answer: Answer) => void;
  reject: (reason: Refused) => void;
}

export interface OutboxOptions {
  video: number;
  /** Sends when connected; false = not connected, it will be asked again. */
  post: (message: Keyed) => boolean;
  /** A message from before a reload is back on its way, in its old order. */
  restored: (message: Keyed, expected: number | null) => void;
  /** A restored message was acknowledged or refused: nobody else waits for its answer. */
  settled: (message: Keyed, outcome: Answer | Refused, expected: number | null) => void;
  /** A message could not be put on the shelf (the disk is full, say): it goes out, but would not outlive a reload. */
  unkept: (reason: unknown) => void;
}

export class Outbox {
  private readonly waiting = new Map<string, Waiting>();
  private readonly size = signal(0);
  private readonly unstored = signal(false);
  private pause: ReturnType<typeof setTimeout> | undefined;
  private pauses = 0;
  private shelf: Shelf | null = null;
  private user: number | null = null;
  private last = 0;

  constructor(private readonly options: OutboxOptions) {}

  /** How many messages no answer has come for. */
  get count(): ReadonlySignal<number> {
    return this.size;
  }

  /** Some message was not stored, and is sent again and again until it is. */
  get retrying(): ReadonlySignal<boolean> {
    return this.unstored;
  }

  has(key: string): boolean {
    return this.waiting.has(key);
  }

  /**
   * Resolves when acknowledged; rejects with Refused. Survives any number of reconnects. `expected` is the number that
   * the page took for granted for an object; it is kept beside the message.
   */
  send(message: Keyed, expected: number | null = null): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const entry = this.entry(message, expected);
      this.keep({ ...entry, sent: 0, unstored: false, held: 0, resolve, reject });
    });
  }

  /** `user` is known: what the shelf holds of theirs goes out after a reload, before anything newer. */
  async restore(shelf: Shelf, user: number): Promise<void> {
    this.shelf = shelf;
    this.user = user;
    const newer = [...this.waiting.values()];
    for (const entry of await shelf.of(this.options.video, user)) {
      if (this.waiting.has(entry.key)) continue;
      const { message, expected = null } = entry;
      const settle = (outcome: Answer | Refused) => this.options.settled(message, outcome, expected);
      // It may have gone out before the reload: that counts as once.
      const fresh = { sent: 1, unstored: false, held: 0, resolve: settle, reject: settle };
      this.waiting.set(entry.key, { ...entry, expected, ...fresh });
      this.options.restored(message, expected);
    }
    for (const item of newer) {
      item.user = user;
      this.waiting.delete(item.key); // to the end: older things go first
      this.waiting.set(item.key, item);
      shelf.put(plain(item)).catch(this.options.unkept);
    }
    this.size.value = this.waiting.size;
  }

  /** After a (re)connect or a pause: everything unanswered, in order. */
  readonly flush = (): void => {
    clearTimeout(this.pause);
    this.pause = undefined;
    for (const item of this.waiting.values()) this.post(item);
  };

  /** The page leaves the video; what waits is on the shelf. */
  close(): void {
    clearTimeout(this.pause);
  }

  acknowledged(answer: Ack): void {
    const item = this.take(answer.key);
    item?.resolve({ result: answer.result, again: item.sent > 1 });
  }

  /** Returns false when the refusal is of no message in here. */
  refusedBy(answer: Refusal): boolean {
    const item = answer.key === null ? undefined : this.waiting.get(answer.key);
    if (!item) return false;
    if (answer.code === NOT_STORED) {
      item.unstored = true;
      this.unstored.value = true;
    }
    if (answer.code === NOT_STORED || this.premature(item)) {
      this.pause ??= setTimeout(this.flush, delay(FIRST_PAUSE + this.pauses++));
      return true;
    }
    this.take(item.key);
    item.reject(new Refused(answer.code, answer.text, answer.head));
    return true;
  }

  /** A stroke is refused while its object is not stored: such a refusal is not final, the message goes out again. */
  private premature(item: Waiting): boolean {
    for (const other of this.waiting.values()) {
      if (other === item) break;
      if (other.unstored) return item.held++ < MOST_HELD;
    }
    return false;
  }

  private entry(message: Keyed, expected: number | null): Entry {
    this.last = Math.max(Date.now() * 1000, this.last + 1);
    const { key } = message;
    return { key, video: this.options.video, user: this.user ?? 0, order: this.last, message, expected };
  }

  private keep(item: Waiting): void {
    this.waiting.set(item.key, item);
    this.size.value = this.waiting.size;
    if (this.shelf && this.user !== null) this.shelf.put(plain(item)).catch(this.options.unkept);
    if (this.pause === undefined) this.post(item); // else it follows those before it
  }

  private post(item: Waiting): void {
    if (this.options.post(item.message)) item.sent++;
  }

  private take(key: string): Waiting | undefined {
    const item = this.waiting.get(key);
    this.waiting.delete(key);
    this.size.value = this.waiting.size;
    if (item?.unstored) {
      this.unstored.value = [...this.waiting.values()].some((other) => other.unstored);
      if (!this.unstored.value) this.pauses = 0;
    }
    // What stays on the shelf by mistake is sent once more, and the server knows its key.
    this.shelf?.remove(key).catch(this.options.unkept);
    return item;
  }
}

function plain({ key, video, user, order, message, expected }: Entry): Entry {
  return { key, video, user, order, message, expected };
}
