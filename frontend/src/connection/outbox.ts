/**
 * Messages that wait for an answer. Each is kept in memory and in the browser's storage until the server has
 * acknowledged or refused it, and is sent again after every reconnect and reload. The server applies each key once,
 * so no message is lost or applied twice. If the database cannot store a message, all are sent again after a pause
 * that grows each time.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Ack, Error as Refusal } from "../protocol";
import { delay } from "./backoff";
import type { Entry, Keyed, Shelf } from "./outboxStorage";

const NOT_STORED = "not_stored"; // the server's code for: the database is not available, try again
const FIRST_PAUSE = 2; // the attempt number that delay() starts from: about 1 s, then doubling to 8 s
const MOST_HELD = 5; // number of times it was sent a refusal is blamed on an earlier message that is not stored yet

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
  result: number | null; // number of the new object, or id of the new round
  again: boolean; // sent more than once, so its effect may be older than the page's state
}

interface Waiting extends Entry {
  sent: number; // number of times it was sent
  unstored: boolean; // the database could not store it the last time
  held: number; // refusals that an earlier message may have caused because it is not stored yet
  resolve: (answer: Answer) => void;
  reject: (reason: Refused) => void;
}

export interface OutboxOptions {
  video: number;
  /** Sends a message. Returns false without a connection; the outbox then tries again later. */
  post: (message: Keyed) => boolean;
  /** Called for each message from before a reload, in the order in which they were sent. */
  restored: (message: Keyed, expected: number | null) => void;
  /** Called if a restored message was acknowledged or refused. Nothing else receives that answer. */
  settled: (message: Keyed, outcome: Answer | Refused, expected: number | null) => void;
  /** Called if a message could not be stored (a full disk, for example). It is sent, but a reload would lose it. */
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

  /** Number of messages without an answer. */
  get count(): ReadonlySignal<number> {
    return this.size;
  }

  /** Whether a message could not be stored by the server and is being sent again. */
  get retrying(): ReadonlySignal<boolean> {
    return this.unstored;
  }

  has(key: string): boolean {
    return this.waiting.has(key);
  }

  /**
   * Resolves when the message is acknowledged, after any number of reconnects; rejects with Refused. `expected` is the
   * number that the page gave to a new object; it is stored with the message.
   */
  send(message: Keyed, expected: number | null = null): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const entry = this.entry(message, expected);
      this.keep({ ...entry, sent: 0, unstored: false, held: 0, resolve, reject });
    });
  }

  /** Takes back a message that was not sent yet, so that it never is. Returns false if the server may know it. */
  withdraw(key: string): boolean {
    if (this.waiting.get(key)?.sent !== 0) return false;
    this.take(key);
    return true;
  }

  /** Sends the stored messages of `user` from before a reload, ahead of newer ones. */
  async restore(shelf: Shelf, user: number): Promise<void> {
    this.shelf = shelf;
    this.user = user;
    const newer = [...this.waiting.values()];
    for (const entry of await shelf.of(this.options.video, user)) {
      if (this.waiting.has(entry.key)) continue;
      const { message, expected = null } = entry;
      const settle = (outcome: Answer | Refused) => this.options.settled(message, outcome, expected);
      // It may have been sent before the reload, so it counts as sent once.
      const fresh = { sent: 1, unstored: false, held: 0, resolve: settle, reject: settle };
      this.waiting.set(entry.key, { ...entry, expected, ...fresh });
      this.options.restored(message, expected);
    }
    for (const item of newer) {
      item.user = user;
      this.waiting.delete(item.key); // Moves it to the end, because older messages are sent first.
      this.waiting.set(item.key, item);
      shelf.put(plain(item)).catch(this.options.unkept);
    }
    this.size.value = this.waiting.size;
  }

  /** Sends every message without an answer, in order. Called after each connect and after a pause. */
  readonly flush = (): void => {
    clearTimeout(this.pause);
    this.pause = undefined;
    for (const item of this.waiting.values()) this.post(item);
  };

  /** Stops sending. Messages without an answer stay in storage. */
  close(): void {
    clearTimeout(this.pause);
  }

  acknowledged(answer: Ack): void {
    const item = this.take(answer.key);
    item?.resolve({ result: answer.result, again: item.sent > 1 });
  }

  /** Returns false if the refusal belongs to no message of this outbox. */
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

  /** Whether a refusal is not final: a scribble is refused while the message that creates its object is not stored. */
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
    if (this.pause === undefined) this.post(item); // During a pause it is sent after the messages before it.
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
    // If removing fails, the message is sent once more after a reload, and the server ignores its key.
    this.shelf?.remove(key).catch(this.options.unkept);
    return item;
  }
}

function plain({ key, video, user, order, message, expected }: Entry): Entry {
  return { key, video, user, order, message, expected };
}
