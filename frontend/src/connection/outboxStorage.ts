/** Stores messages without an acknowledgement in IndexedDB, so that a reload does not lose them. */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { ClientMessage } from "../protocol";

/** A message with a key: the server applies it once, however often it is sent. */
export type Keyed = Extract<ClientMessage, { key: string }>;

export interface Entry {
  key: string;
  video: number;
  user: number; // the author; a message is never sent in another person's name
  order: number; // increases in the order of sending
  message: Keyed;
  expected: number | null; // the number that the page gave to a new object
}

interface Schema extends DBSchema {
  outbox: { key: string; value: Entry; indexes: { video: number } };
}

export interface Shelf {
  put(entry: Entry): Promise<void>;
  remove(key: string): Promise<void>;
  of(video: number, user: number): Promise<Entry[]>;
}

class IndexedShelf implements Shelf {
  constructor(private readonly database: IDBPDatabase<Schema>) {}

  async put(entry: Entry): Promise<void> {
    await this.database.put("outbox", entry);
  }

  async remove(key: string): Promise<void> {
    await this.database.delete("outbox", key);
  }

  async of(video: number, user: number): Promise<Entry[]> {
    const entries = await this.database.getAllFromIndex("outbox", "video", video);
    const own = entries.filter((entry) => entry.user === user).sort((a, b) => a.order - b.order);
    return own.map((entry) => ({ ...entry, message: withPresentNames(entry.message) }));
  }
}

/** A message as protocol version 3 names it. Before that version a scribble was called a stroke. */
function withPresentNames(message: Keyed): Keyed {
  const { type, stroke, ...rest } = message as { type: string; stroke?: string };
  if (type === "stroke.add") return { ...rest, type: "scribble.add" } as Keyed;
  if (type === "stroke.remove") return { ...rest, type: "scribble.remove", scribble: stroke } as Keyed;
  return message;
}

/** Opens the storage. Throws if the browser has no IndexedDB or refuses access, as some private windows do. */
export async function openShelf(name = "maskwright"): Promise<Shelf> {
  const database = await openDB<Schema>(name, 1, {
    upgrade(upgraded) {
      upgraded.createObjectStore("outbox", { keyPath: "key" }).createIndex("video", "video");
    },
  });
  return new IndexedShelf(database);
}
