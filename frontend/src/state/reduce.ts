/** Applies messages of the server to the store. The connection handles their sequence numbers. */
import { batch } from "@preact/signals";
import { toast } from "../parts/Toast";
import type { HeadMoved, ObjectInfo, PinInfo, RoundInfo, ServerMessage, State, Welcome } from "../protocol";
import { isActive, lineOf, membersOf } from "./line";
import { joinedTo, runOf } from "./loadedRounds";
import type { Store } from "./store";

/** Applies one message. Acknowledgements, refusals and pongs do not change the store. */
export function reduce(store: Store, message: ServerMessage): void {
  batch(() => apply(store, message));
}

function apply(store: Store, message: ServerMessage): void {
  switch (message.type) {
    case "welcome":
      welcome(store, message);
      break;
    case "scribble.added": {
      const others = store.saved.value.filter((scribble) => scribble.key !== message.scribble.key);
      store.saved.value = [...others, message.scribble];
      break;
    }
    case "scribble.removed":
      forgetScribbles(store, message.keys);
      break;
    case "object.changed":
      store.objects.value = withObject(store.objects.value, message.object);
      keepSelection(store);
      break;
    case "round.changed":
      store.rounds.value = new Map(store.rounds.value).set(message.round.id, message.round);
      break;
    case "head.moved":
      tellOfMove(store, message);
      store.head.value = message.head;
      break;
    case "accepted.changed": {
      const accepted = new Map(store.accepted.value);
      for (const { first, last, round } of message.spans)
        for (let frame = first; frame <= last; frame++) {
          if (round === null) accepted.delete(frame);
          else accepted.set(frame, round);
        }
      store.accepted.value = accepted;
      break;
    }
    case "object.accepted":
      store.objectSpans.value = new Map(store.objectSpans.value).set(message.object, message.spans);
      break;
    case "absent.changed":
      store.absent.value = new Map(store.absent.value).set(message.object, message.spans);
      break;
    case "cuts.changed":
      store.cuts.value = message.cuts;
      break;
    case "pin.changed":
      takePin(store, message.pin);
      break;
    case "jobs.changed":
      store.jobsChanged.value++;
      break;
    case "round.scored":
      store.scored.value++;
      break;
    case "round.progress":
      progress(store, message);
      break;
    case "presence":
      store.presence.value = message.viewers;
      break;
    case "leases":
      store.leases.value = message.leases;
      break;
    case "worker":
      store.worker.value = message.worker;
      break;
  }
}

function welcome(store: Store, message: Welcome): void {
  store.you.value = message.you;
  store.role.value = message.role;
  store.worker.value = message.worker;
  store.leases.value = []; // The server tells at once if somebody draws on an object.
  if (message.state) load(store, message.state);
}

/** Replaces everything that is known of the video, except its masks. */
export function load(store: Store, state: State): void {
  store.video.value = state.video;
  store.objects.value = state.objects;
  store.saved.value = state.scribbles;
  keepLoadedRounds(store, state);
  store.lines.value = new Map(state.older ? [[state.older.line.round, state.older.line]] : []);
  store.olderScribbles.value = new Map(); // One that was used may wait again.
  store.objectSpans.value = byNumber(state.accepted_objects);
  store.absent.value = byNumber(state.absent);
  store.cuts.value = state.cuts;
  store.pins.value = state.pins;
  store.seconds.value = byNumber(state.seconds);
  store.head.value = state.head;
  store.accepted.value = new Map(Object.entries(state.accepted).map(([frame, id]) => [Number(frame), id]));
  store.frame.value = Math.max(0, Math.min(store.frame.value, state.video.frame_count - 1));
  keepSelection(store);
}

/**
 * Takes the newest rounds from a new state. Rounds that had ended when the page heard of them last do not change, so
 * those that are loaded stay. Where others are missing between them and the newest ones, the list ends until these are
 * loaded.
 */
function keepLoadedRounds(store: Store, state: State): void {
  const known = new Map(state.rounds.map((round) => [round.id, round]));
  const before = [...store.rounds.peek().values()];
  // A round that was active has ended meanwhile, unless the state has it. Rounds after it may have another base now.
  const changed = Math.min(...before.filter((round) => isActive(round)).map(({ id }) => id));
  const kept = before.filter(({ id }) => id < changed);
  store.rounds.value = new Map([...kept.map((round) => [round.id, round] as const), ...known]);
  const older = state.older && { before: state.older.before, count: state.older.count };
  const run = runOf(kept, store.older.peek());
  store.older.value = older && joinedTo(run, older);
  const isJoined = store.older.value !== older;
  store.loadedBefore.value = isJoined ? null : run;
  if (!isJoined) store.pagesHere.value = 0;
}

/** Adds a pin, or replaces the one with its id. */
export function takePin(store: Store, pin: PinInfo): void {
  const others = store.pins.peek().filter(({ id }) => id !== pin.id);
  store.pins.value = [...others, pin].sort((a, b) => a.frame - b.frame || a.id - b.id);
}

/** JSON has texts as the keys of an object; the page uses numbers. */
function byNumber<Value>(values: Record<number, Value>): Map<number, Value> {
  return new Map(Object.entries(values).map(([number, value]) => [Number(number), value as Value]));
}

/** Tells the person that somebody else moved the head, because all masks change with it. */
function tellOfMove(store: Store, moved: HeadMoved): void {
  const { head, by } = moved;
  if (head === store.head.value || by.id === store.you.value?.id || followsARound(store, moved)) return;
  const number = roundAt(store, head)?.number;
  const place = head === null ? "before the first round" : number ? `round ${number}` : "an older round";
  toast({ text: `${by.name} went ${wayOf(store, head)} ${place}.` });
}

/**
 * Whether the head moved because a round started, failed or ended without masks. The list of rounds shows that
 * already.
 */
function followsARound(store: Store, { head, by }: HeadMoved): boolean {
  if (isActive(roundAt(store, head))) return true;
  const left = roundAt(store, store.head.value);
  if (!left || isActive(left) || left.base !== head || left.author.id !== by.id) return false;
  return left.state === "failed" || (left.state !== "done" && left.frames.length === 0);
}

function wayOf(store: Store, head: number | null): string {
  const before = store.head.value;
  const isBelow = (round: number, tip: number | null): boolean =>
    membersOf(lineOf(store.rounds.value, tip, store.lines.value))(round);
  if (head === null || isBelow(head, before)) return "back to";
  return before === null || isBelow(before, head) ? "forward to" : "to";
}

function roundAt(store: Store, id: number | null): RoundInfo | undefined {
  return id === null ? undefined : store.rounds.value.get(id);
}

function withObject(objects: readonly ObjectInfo[], changed: ObjectInfo): readonly ObjectInfo[] {
  const others = objects.filter((object) => object.number !== changed.number);
  return [...others, changed].sort((a, b) => a.number - b.number);
}

/** Selects another object if the selected one was deleted. */
function keepSelection(store: Store): void {
  const alive = store.objects.value.filter((object) => !object.deleted);
  if (store.selected.value === 0 || alive.some((object) => object.number === store.selected.value)) return;
  store.selected.value = alive[0]?.number ?? 1;
}

export function forgetScribbles(store: Store, keys: readonly string[]): void {
  const gone = new Set(keys);
  store.saved.value = store.saved.value.filter((scribble) => !gone.has(scribble.key));
  store.unsaved.value = store.unsaved.value.filter((scribble) => !gone.has(scribble.key));
  store.removing.value = new Set([...store.removing.value].filter((key) => !gone.has(key)));
}

function progress(store: Store, hint: { round: number; done: number; total: number; seconds: number }): void {
  const round = store.rounds.value.get(hint.round);
  // A late progress message must not turn an ended round into a running one.
  if (!round || (round.state !== "running" && round.state !== "queued")) return;
  const { done, total, seconds } = hint;
  const changed: RoundInfo = { ...round, state: "running", done, total, seconds };
  store.rounds.value = new Map(store.rounds.value).set(round.id, changed);
}
