/**
 * All that the studio knows of one video, as signals. Whoever shows something reads signals; whoever changes something
 * goes through actions/ (what a person does) or state/reduce.ts (what the server says). Masks are in masks/store.ts.
 */
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { MaskStore } from "../masks/store";
import type {
  ObjectInfo,
  Person,
  RoleName,
  RoundInfo,
  RoundScores,
  ScribbleInfo,
  VideoInfo,
  Viewer,
  WorkerStatus,
} from "../protocol";
import { type Fact, factsOf } from "./frameSummary";
import { activeRound, interactedFrames, lineOf } from "./line";
import { type Suggestion, suggest } from "./suggest";
import { DEFAULT_VIEW, type ViewSettings } from "./view";

/** `lost`: not connected, and trying. `closed`: not connected, and a reload or a sign-in is needed. */
export type Connection = "connecting" | "live" | "lost" | "closed";
export type Dialog = "help" | "export" | null;

/** A frame whose strokes are to run. `urgent` does not wait for a round of one's own to end, but takes its place. */
export interface Waiting {
  frame: number;
  urgent: boolean;
}

export interface Store {
  readonly id: number;
  // What the server says.
  readonly video: Signal<VideoInfo | null>;
  readonly you: Signal<Person | null>;
  readonly role: Signal<RoleName>;
  readonly objects: Signal<readonly ObjectInfo[]>; // the deleted ones too
  readonly saved: Signal<readonly ScribbleInfo[]>; // strokes the server has, waiting for a round
  readonly rounds: Signal<ReadonlyMap<number, RoundInfo>>;
  readonly head: Signal<number | null>;
  readonly scored: Signal<number>; // counts the rounds that were compared with ground truth since the page was opened
  readonly scores: Signal<ReadonlyMap<number, RoundScores>>; // round -> J and F, for those who may see ground truth
  readonly accepted: Signal<ReadonlyMap<number, number>>; // frame -> round
  readonly presence: Signal<readonly Viewer[]>;
  readonly worker: Signal<WorkerStatus | null>;
  readonly masks: MaskStore;
  // The connection.
  readonly connection: Signal<Connection>;
  readonly problem: Signal<{ code: string; text: string } | null>; // why there is no video to show, or no way back
  readonly unsaved: Signal<readonly ScribbleInfo[]>; // own strokes that no acknowledgement has come for
  readonly removing: Signal<ReadonlySet<string>>; // strokes whose removal is on its way
  readonly savedAt: Signal<Date | null>;
  // What this person looks at and works with.
  readonly frame: Signal<number>; // the wanted frame; the picture may lag behind by a load
  readonly playing: Signal<boolean>;
  readonly tool: Signal<string>; // name of a tool in tools/tools.ts
  readonly keyPen: Signal<boolean>; // the arrow keys move a pen on the picture
  readonly selected: Signal<number>; // object number; 0 = background
  readonly looking: Signal<number | null>; // a round that one looks at instead of the head
  readonly engine: Signal<string>;
  readonly view: Signal<ViewSettings>;
  readonly queue: Signal<readonly Waiting[]>; // frames whose strokes run when the round before them has ended
  readonly dialog: Signal<Dialog>;
  readonly drawer: Signal<boolean>; // the right panel, where it is a drawer
  // What follows from the above.
  readonly canDraw: ReadonlySignal<boolean>;
  readonly alive: ReadonlySignal<readonly ObjectInfo[]>;
  readonly strokes: ReadonlySignal<readonly ScribbleInfo[]>; // all that wait, saved or not, of objects that are there
  readonly mine: ReadonlySignal<readonly ScribbleInfo[]>; // one's own that wait
  readonly shownRound: ReadonlySignal<number | null>;
  readonly line: ReadonlySignal<readonly number[]>; // of the shown round
  readonly headLine: ReadonlySignal<readonly number[]>;
  readonly interacted: ReadonlySignal<ReadonlySet<number>>; // frames drawn on, on the shown line
  readonly active: ReadonlySignal<RoundInfo | null>;
  readonly kept: ReadonlySignal<ReadonlyMap<number, number>>; // accepted frames, as far as they show
  readonly facts: ReadonlySignal<readonly Fact[]>; // one for each frame: whose mask, how sure, which objects
  readonly factsBefore: ReadonlySignal<readonly Fact[]>; // the same before the shown round, to compare with
  readonly suggestion: ReadonlySignal<Suggestion | null>;
}

const NOTHING_ACCEPTED: ReadonlyMap<number, number> = new Map();

function given(id: number) {
  return {
    id,
    video: signal<VideoInfo | null>(null),
    you: signal<Person | null>(null),
    role: signal<RoleName>("viewer"),
    objects: signal<readonly ObjectInfo[]>([]),
    saved: signal<readonly ScribbleInfo[]>([]),
    rounds: signal<ReadonlyMap<number, RoundInfo>>(new Map()),
    head: signal<number | null>(null),
    scored: signal(0),
    scores: signal<ReadonlyMap<number, RoundScores>>(new Map()),
    accepted: signal<ReadonlyMap<number, number>>(new Map()),
    presence: signal<readonly Viewer[]>([]),
    worker: signal<WorkerStatus | null>(null),
    masks: new MaskStore(),
    connection: signal<Connection>("connecting"),
    problem: signal<{ code: string; text: string } | null>(null),
    unsaved: signal<readonly ScribbleInfo[]>([]),
    removing: signal<ReadonlySet<string>>(new Set()),
    savedAt: signal<Date | null>(null),
    frame: signal(0),
    playing: signal(false),
    tool: signal("scribble"),
    keyPen: signal(false),
    selected: signal(1),
    looking: signal<number | null>(null),
    engine: signal("default"),
    view: signal<ViewSettings>(DEFAULT_VIEW),
    queue: signal<readonly Waiting[]>([]),
    dialog: signal<Dialog>(null),
    drawer: signal(false),
  };
}

export function createStore(id: number): Store {
  const base = given(id);
  const alive = computed(() => base.objects.value.filter((object) => !object.deleted));
  const strokes = computed(() => {
    const here = new Map(base.saved.value.map((stroke) => [stroke.key, stroke]));
    for (const stroke of base.unsaved.value) here.set(stroke.key, stroke);
    for (const key of base.removing.value) here.delete(key);
    const deleted = new Set(
      base.objects.value.filter((object) => object.deleted).map((object) => object.number),
    );
    return [...here.values()].filter((stroke) => !deleted.has(stroke.object));
  });
  const mine = computed(() => strokes.value.filter((stroke) => stroke.author.id === base.you.value?.id));
  const shownRound = computed(() => base.looking.value ?? base.head.value);
  const line = computed(() => lineOf(base.rounds.value, shownRound.value));
  // Whoever looks at another round looks at what it made; at the head, accepted frames stay as they were accepted.
  const kept = computed(() => (base.looking.value === null ? base.accepted.value : NOTHING_ACCEPTED));
  const facts = computed(() => {
    base.masks.version.value; // read to follow it
    return factsOf(base.video.value, base.rounds.value, line.value, kept.value, base.masks);
  });
  const factsBefore = computed(() => {
    base.masks.version.value;
    const rounds = base.rounds.value;
    const before = lineOf(
      rounds,
      line.value[0] === undefined ? null : (rounds.get(line.value[0])?.base ?? null),
    );
    return factsOf(base.video.value, rounds, before, NOTHING_ACCEPTED, base.masks);
  });
  const interacted = computed(() => interactedFrames(base.rounds.value, line.value));
  return {
    ...base,
    canDraw: computed(() => base.role.value !== "viewer"),
    alive,
    strokes,
    mine,
    shownRound,
    line,
    headLine: computed(() => lineOf(base.rounds.value, base.head.value)),
    interacted,
    active: computed(() => activeRound(base.rounds.value)),
    kept,
    facts,
    factsBefore,
    suggestion: computed(() =>
      suggest(facts.value, alive.value, interacted.value, base.accepted.value, base.frame.value),
    ),
  };
}
