/**
 * Everything that the studio knows of one video, as signals. Components read the signals. They are changed by actions/
 * (what a person does) and state/reduce.ts (what the server says). Masks are in masks/store.ts.
 */
import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Job } from "../api/types";
import { movedPart } from "../masks/change";
import { MaskStore } from "../masks/store";
import type {
  AcceptedObjectSpan,
  LeaseInfo,
  ObjectInfo,
  Person,
  PinInfo,
  RoleName,
  RoundInfo,
  RoundScores,
  RoundScribble,
  ScribbleInfo,
  VideoInfo,
  Viewer,
  WorkerStatus,
} from "../protocol";
import { acceptedOn, decidedOf, withoutAccepted } from "./acceptedObjects";
import type { Compare } from "./compare";
import { type FrameSummary, summariesOf } from "./frameSummary";
import { jobInHand } from "./jobs";
import { activeRound, activeRounds, baseOf, drawnFrames, type Line, type Lines, lineOf } from "./line";
import { recoloured } from "./objectColors";
import type { Painting } from "./paintings";
import type { Polygon } from "./polygon";
import type { Preview } from "./preview";
import type { Range } from "./ranges";
import type { Place } from "./review";
import { EVERYTHING, type Limits, type Scope } from "./scope";
import { type Shown, type Suggestion, suggest } from "./suggest";
import { DEFAULT_VIEW, type ViewSettings } from "./view";

/** `lost`: not connected, and reconnecting. `closed`: not connected, and a reload or a sign-in is needed. */
export type Connection = "connecting" | "live" | "lost" | "closed";
/** A label of the project, which objects can have. */
export interface ProjectLabel {
  id: number;
  name: string;
  color: string;
}

export type Dialog = "help" | "keys" | "export" | "submit" | "reject" | null;

/** A pin that is being written: its frames, and its place in 0..1 of the frame if it has one. */
export interface PinDraft {
  frame: number;
  x: number | null;
  y: number | null;
  /** The last frame that it is about, if that is not `frame`. */
  last?: number | null;
  /** The object that it rejects, if it is not yet to be chosen. */
  object?: number;
}

/** How far a review is: the place that is looked at, those before it, and the frames that were looked at. */
export interface Review {
  place: Place | null;
  before: readonly Place[];
  seen: ReadonlySet<number>;
}

/** A round that is about to be sent. On the server it then waits for its turn, even if this page is closed. */
export interface Waiting {
  /** The drawn frames of the round, the one that is computed first at the front. */
  frames: readonly number[];
  /** The round starts from the masks of frames without scribbles, too. */
  fromMasks?: boolean;
  /** What the round may change. Without it, what the person chose for the next round. */
  limits?: Limits;
  /** Takes the place of this person's rounds that wait or run. Otherwise it waits for them. */
  supersedes: boolean;
  /** It was refused because the video had changed: it is sent again once the change log has told of the change. */
  again?: boolean;
}

export interface Store {
  readonly id: number;
  // State of the server.
  readonly video: Signal<VideoInfo | null>;
  readonly you: Signal<Person | null>;
  readonly role: Signal<RoleName>;
  readonly objects: Signal<readonly ObjectInfo[]>; // deleted objects included
  readonly saved: Signal<readonly ScribbleInfo[]>; // scribbles on the server that wait for a round
  readonly rounds: Signal<ReadonlyMap<number, RoundInfo>>; // the newest ones, and older ones that were loaded
  readonly older: Signal<Older | null>; // the rounds before the newest ones; null if there are none
  readonly lines: Signal<Lines>; // of rounds that have older ones which are not loaded
  readonly olderScribbles: Signal<ReadonlyMap<string, readonly RoundScribble[]>>; // by `${round of the line}/${frame}`
  readonly pages: Signal<number>; // how many pages of older rounds the person wants in the list
  readonly pagesHere: Signal<number>; // how many of them are loaded
  readonly loading: Signal<Loading>; // of pages of older rounds
  readonly loadedBefore: Signal<LoadedRun | null>; // rounds of the list before a gap, between which others are missing
  readonly head: Signal<number | null>;
  readonly lastLabel: Signal<number | null>; // the label that was given last; a new object gets it
  readonly labels: Signal<readonly ProjectLabel[]>; // of the project; empty until they are loaded
  readonly absent: Signal<ReadonlyMap<number, readonly Range[]>>; // by object: where it is not in the picture
  readonly jobs: Signal<readonly Job[]>; // of the video, as the person may see them
  readonly pins: Signal<readonly PinInfo[]>; // comments on frames, open and resolved
  readonly jobsChanged: Signal<number>; // how many times the server has said that the jobs changed
  readonly cuts: Signal<readonly number[]>; // the first frame of each scene but the first
  readonly seconds: Signal<ReadonlyMap<number, number>>; // human work by object; 0: no object was selected
  readonly scored: Signal<number>; // rounds that were scored since the page was opened
  readonly scores: Signal<ReadonlyMap<number, RoundScores>>; // by round, for roles that may see ground truth
  readonly accepted: Signal<ReadonlyMap<number, number>>; // frame -> round
  readonly objectSpans: Signal<ReadonlyMap<number, readonly AcceptedObjectSpan[]>>; // by object, on any round
  readonly presence: Signal<readonly Viewer[]>;
  readonly leases: Signal<readonly LeaseInfo[]>; // who draws on which object now
  readonly worker: Signal<WorkerStatus | null>;
  readonly masks: MaskStore;
  // State of the connection.
  readonly connection: Signal<Connection>;
  readonly problem: Signal<{ code: string; text: string } | null>; // why the video cannot be shown
  readonly unsaved: Signal<readonly ScribbleInfo[]>; // this person's scribbles without an acknowledgement
  readonly removing: Signal<ReadonlySet<string>>; // keys of scribbles that are being removed
  readonly paintings: Signal<readonly Painting[]>; // this person's, until the painted round is here; oldest first
  readonly savedAt: Signal<Date | null>;
  // What this person looks at and works with.
  readonly frame: Signal<number>; // the wanted frame; it may still be loading
  readonly playing: Signal<boolean>;
  readonly loop: Signal<boolean>; // playback begins again at the end of its range
  readonly rate: Signal<number>; // of playback; 1 is the rate of the video
  readonly tool: Signal<string>; // name of a tool in tools/tools.ts
  readonly keyPen: Signal<boolean>; // the arrow keys move a pen on the picture
  readonly selected: Signal<number>; // object number; 0 = background
  readonly polygon: Signal<Polygon | null>; // the polygon that is being drawn
  readonly preview: Signal<Preview | null>;
  readonly compare: Signal<Compare | null>;
  readonly looking: Signal<number | null>; // the round that is shown instead of the head
  readonly engine: Signal<string>;
  readonly view: Signal<ViewSettings>;
  readonly queue: Signal<readonly Waiting[]>; // rounds that are about to be sent
  readonly shown: Signal<Shown>; // suggestions that were gone to or skipped
  readonly forAll: Signal<boolean>; // edits of a span change all objects, not only the selected one
  readonly scope: Signal<Scope>; // what the next round may change
  readonly selection: Signal<Range | null>; // the span of frames that is selected on the timeline
  readonly pinning: Signal<boolean>; // the next click on the picture sets a pin
  readonly pin: Signal<number | PinDraft | null>; // the pin that is open: its id, or one that is being written
  readonly review: Signal<Review | null>; // null: the person does not review
  readonly wantedJob: Signal<number | null>; // the id of the job that the address names, or that the person moved
  readonly dialog: Signal<Dialog>;
  readonly drawer: Signal<boolean>; // whether the right panel is open, on small windows
  // Derived values.
  readonly canDraw: ReadonlySignal<boolean>;
  readonly alive: ReadonlySignal<readonly ObjectInfo[]>;
  readonly scribbles: ReadonlySignal<readonly ScribbleInfo[]>; // all waiting scribbles of objects that are not deleted
  readonly mine: ReadonlySignal<readonly ScribbleInfo[]>; // this person's waiting scribbles
  readonly shownRound: ReadonlySignal<number | null>;
  readonly line: ReadonlySignal<Line>; // the shown round, its base, and so on
  readonly headLine: ReadonlySignal<Line>;
  readonly shownBase: ReadonlySignal<number | null | undefined>; // of the shown round; undefined: none, or not loaded
  readonly drawn: ReadonlySignal<ReadonlySet<number>>; // frames with scribbles on the shown line
  readonly active: ReadonlySignal<RoundInfo | null>; // the round that runs, else the one that is next
  readonly ownActive: ReadonlySignal<RoundInfo | null>; // this person's newest round that runs or waits
  readonly kept: ReadonlySignal<ReadonlyMap<number, number>>; // accepted frames; empty while another round is shown
  readonly acceptedObjects: ReadonlySignal<ReadonlyMap<number, readonly Range[]>>; // by object, at the shown round
  readonly decided: ReadonlySignal<ReadonlyMap<number, readonly Range[]>>; // by object: absent or accepted there
  readonly summaries: ReadonlySignal<readonly FrameSummary[]>; // one for each frame
  readonly summariesBefore: ReadonlySignal<readonly FrameSummary[]>; // the same for the base of the shown round
  readonly suggestion: ReadonlySignal<Suggestion | null>;
  readonly job: ReadonlySignal<Job | null>; // the job that the person works on; null if there is none
}

/** The rounds of a video that are older than all in its list: there are `count`, with ids lower than `before`. */
export interface Older {
  readonly before: number;
  readonly count: number;
}

/** Rounds that follow one another and are all loaded: `newest` is the highest id, `older` are the rounds before them. */
export interface LoadedRun {
  readonly newest: number;
  readonly older: Older | null;
}

/** How the loading of older rounds goes: `failed` until the person asks for it again. */
export type Loading = "idle" | "busy" | "failed";

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
    older: signal<Older | null>(null),
    lines: signal<Lines>(new Map()),
    olderScribbles: signal<ReadonlyMap<string, readonly RoundScribble[]>>(new Map()),
    pages: signal(0),
    pagesHere: signal(0),
    loading: signal<Loading>("idle"),
    loadedBefore: signal<LoadedRun | null>(null),
    head: signal<number | null>(null),
    lastLabel: signal<number | null>(null),
    labels: signal<readonly ProjectLabel[]>([]),
    absent: signal<ReadonlyMap<number, readonly Range[]>>(new Map()),
    jobs: signal<readonly Job[]>([]),
    pins: signal<readonly PinInfo[]>([]),
    jobsChanged: signal(0),
    cuts: signal<readonly number[]>([]),
    seconds: signal<ReadonlyMap<number, number>>(new Map()),
    scored: signal(0),
    scores: signal<ReadonlyMap<number, RoundScores>>(new Map()),
    accepted: signal<ReadonlyMap<number, number>>(new Map()),
    objectSpans: signal<ReadonlyMap<number, readonly AcceptedObjectSpan[]>>(new Map()),
    presence: signal<readonly Viewer[]>([]),
    leases: signal<readonly LeaseInfo[]>([]),
    worker: signal<WorkerStatus | null>(null),
    masks: new MaskStore(),
    connection: signal<Connection>("connecting"),
    problem: signal<{ code: string; text: string } | null>(null),
    unsaved: signal<readonly ScribbleInfo[]>([]),
    removing: signal<ReadonlySet<string>>(new Set()),
    paintings: signal<readonly Painting[]>([]),
    savedAt: signal<Date | null>(null),
    frame: signal(0),
    playing: signal(false),
    loop: signal(false),
    rate: signal(1),
    tool: signal("scribble"),
    keyPen: signal(false),
    selected: signal(1),
    polygon: signal<Polygon | null>(null),
    preview: signal<Preview | null>(null),
    compare: signal<Compare | null>(null),
    looking: signal<number | null>(null),
    engine: signal("default"),
    view: signal<ViewSettings>(DEFAULT_VIEW),
    queue: signal<readonly Waiting[]>([]),
    shown: signal<Shown>(new Map()),
    forAll: signal(false),
    scope: signal<Scope>(EVERYTHING),
    selection: signal<Range | null>(null),
    pinning: signal(false),
    pin: signal<number | PinDraft | null>(null),
    review: signal<Review | null>(null),
    wantedJob: signal<number | null>(null),
    dialog: signal<Dialog>(null),
    drawer: signal(false),
  };
}

export function createStore(id: number): Store {
  const base = given(id);
  const alive = computed(() => {
    const there = base.objects.value.filter((object) => !object.deleted);
    there.sort((a, b) => a.position - b.position || a.number - b.number);
    return recoloured(there, "object", null); // Objects of older videos may have the same colour.
  });
  const scribbles = computed(() => {
    const here = new Map(base.saved.value.map((scribble) => [scribble.key, scribble]));
    for (const scribble of base.unsaved.value) here.set(scribble.key, scribble);
    for (const key of base.removing.value) here.delete(key);
    const deleted = new Set(
      base.objects.value.filter((object) => object.deleted).map((object) => object.number),
    );
    return [...here.values()].filter((scribble) => !deleted.has(scribble.object));
  });
  const mine = computed(() =>
    scribbles.value.filter((scribble) => scribble.author.id === base.you.value?.id),
  );
  const shownRound = computed(() => base.looking.value ?? base.head.value);
  const lineFrom = (tip: number | null): Line => lineOf(base.rounds.value, tip, base.lines.value);
  const line = computed(() => lineFrom(shownRound.value));
  const shownBase = computed(() => baseOf(base.rounds.value, shownRound.value));
  // At the head, accepted frames show the accepted mask. Any other round is shown as it was computed.
  const kept = computed(() => (base.looking.value === null ? base.accepted.value : NOTHING_ACCEPTED));
  const acceptedObjects = computed(() => acceptedOn(base.objectSpans.value, line.value));
  const decided = computed(() => decidedOf(base.absent.value, acceptedObjects.value));
  const summaries = computed(() => {
    base.masks.version.value; // subscribes to changes
    const all = summariesOf(base.video.value, base.rounds.value, line.value, kept.value, base.masks);
    return withoutAccepted(all, acceptedObjects.value, base.masks);
  });
  const summariesBefore = computed(() => {
    base.masks.version.value;
    const before = lineFrom(shownBase.value ?? null);
    const all = summariesOf(base.video.value, base.rounds.value, before, NOTHING_ACCEPTED, base.masks);
    return withoutAccepted(all, acceptedObjects.value, base.masks); // So that confidences of the same object are compared.
  });
  const drawn = computed(() => drawnFrames(base.rounds.value, line.value));
  const movedIn = (frame: number, object: number): number | null => {
    const [now, then] = [summaries, summariesBefore].map(({ value }) => {
      const round = value[frame]?.round ?? null;
      return round === null ? undefined : base.masks.peek(round, frame);
    });
    return now && then && now !== then ? movedPart(then, now, object) : null;
  };
  return {
    ...base,
    canDraw: computed(() => base.role.value !== "viewer"),
    alive,
    scribbles,
    mine,
    shownRound,
    line,
    headLine: computed(() => lineFrom(base.head.value)),
    shownBase,
    drawn,
    active: computed(() => activeRound(base.rounds.value)),
    ownActive: computed(() => {
      const you = base.you.value?.id;
      return activeRounds(base.rounds.value).findLast(({ author }) => author.id === you) ?? null;
    }),
    kept,
    acceptedObjects,
    decided,
    summaries,
    summariesBefore,
    job: computed(() => jobInHand(base.jobs.value, base.wantedJob.value, base.you.value?.id ?? null)),
    suggestion: computed(() =>
      suggest({
        summaries: summaries.value,
        before: summariesBefore.value,
        objects: alive.value,
        accepted: base.accepted.value,
        absent: decided.value,
        moved: (frame, object) => movedIn(frame, object),
        at: base.frame.value,
        shown: base.shown.value,
      }),
    ),
  };
}
