/**
 * Messages on their way: each is kept (in memory and on the shelf) until the server acknowledged or refused it, and is
 * sent again after every reconnect and reload. The server acts once per key, so nothing is lost and nothing doubled.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Ack, Error as Refusal } from "../protocol";
import type { Entry, Keyed, Shelf } from "./shelf";

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
  resolve: (answer: Answer) => void;
  reject: (reason: Refused) => void;
}

export interface OutboxOptions {
  video: number;
  /** Sends when connected; false = not connected, it will be asked again. */
  post: (message: Keyed) => boolean;
  /** A message from before a reload is back on its way, in its old order. */
  restored: (message: Keyed) => void;
  /** A restored message was acknowledged (null) or refused: nobody else waits for its answer. */
  settled: (message: Keyed, refusal: Refused | null) => void;
  /** A message could not be put on the shelf (the disk is full, say): it goes out, but would not outlive a reload. */
  unkept: (reason: unknown) => void;
}

export class Outbox {
  private readonly waiting = new Map<string, Waiting>();
  private readonly size = signal(0);
  private shelf: Shelf | null = null;
  private user: number | null = null;
  private last = 0;

  constructor(private readonly options: OutboxOptions) {}

  /** How many messages no answer has come for. */
  get count(): ReadonlySignal<number> {
    return this.size;
  }

  has(key: string): boolean {
    return this.waiting.has(key);
  }

  /** Resolves when acknowledged; rejects with Refused. Survives any number of reconnects. */
  send(message: Keyed): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.keep({ ...this.entry(message), sent: 0, resolve, reject });
    });
  }

  /** `user` is known: what the shelf holds of theirs goes out after a reload, before anything newer. */
  async restore(shelf: Shelf, user: number): Promise<void> {
    this.shelf = shelf;
    this.user = user;
    const newer = [...this.waiting.values()];
    for (const entry of await shelf.of(this.options.video, user)) {
      if (this.waiting.has(entry.key)) continue;
      const { message } = entry;
      const resolve = () => this.options.settled(message, null);
      const reject = (reason: Refused) => this.options.settled(message, reason);
      // It may have gone out before the reload: that counts as once.
      this.waiting.set(entry.key, { ...entry, sent: 1, resolve, reject });
      this.options.restored(message);
    }
    for (const item of newer) {
      item.user = user;
      this.waiting.delete(item.key); // to the end: older things go first
      this.waiting.set(item.key, item);
      shelf.put(plain(item)).catch(this.options.unkept);
    }
    this.size.value = this.waiting.size;
  }

  /** After a (re)connect: everything unanswered, in order. */
  flush(): void {
    for (const item of this.waiting.values()) this.post(item);
  }

  acknowledged(answer: Ack): void {
    const item = this.take(answer.key);
    item?.resolve({ result: answer.result, again: item.sent > 1 });
  }

  /** Returns false when the refusal is of no message in here. */
  refusedBy(answer: Refusal): boolean {
    const item = answer.key === null ? undefined : this.take(answer.key);
    item?.reject(new Refused(answer.code, answer.text, answer.head));
    return item !== undefined;
  }

  private entry(message: Keyed): Entry {
    this.last = Math.max(Date.now() * 1000, this.last + 1);
    return { key: message.key, video: this.options.video, user: this.user ?? 0, order: this.last, message };
  }

  private keep(item: Waiting): void {
    this.waiting.set(item.key, item);
    this.size.value = this.waiting.size;
    if (this.shelf && this.user !== null) this.shelf.put(plain(item)).catch(this.options.unkept);
    this.post(item);
  }

  private post(item: Waiting): void {
    if (this.options.post(item.message)) item.sent++;
  }

  private take(key: string): Waiting | undefined {
    const item = this.waiting.get(key);
    this.waiting.delete(key);
    this.size.value = this.waiting.size;
    // What stays on the shelf by mistake is sent once more, and the server knows its key.
    this.shelf?.remove(key).catch(this.options.unkept);
    return item;
  }
}

function plain({ key, video, user, order, message }: Entry): Entry {
  return { key, video, user, order, message };
}
