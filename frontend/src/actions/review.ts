/** The reviewer's mode: goes from place to place, plays each, and accepts it or sets a pin. */
import { toast } from "../parts/Toast";
import { type Place, placesOf } from "../state/review";
import type { Studio } from "../studio/studio";
import { endReview, moveJob } from "./jobs";
import { seek, togglePlay } from "./playback";
import { acceptUsed } from "./spans";

/** Returns the places that are still to be looked at. An effect that calls it runs again on a change. */
export function placesLeft({ store }: Studio): Place[] {
  const job = store.job.value;
  const last = (store.video.value?.frame_count ?? 1) - 1;
  return placesOf({
    first: job?.first ?? 0,
    last: job?.last ?? last,
    summaries: store.summaries.value,
    before: store.summariesBefore.value,
    objects: store.alive.value,
    absent: store.decided.value,
    accepted: store.accepted.value,
    seen: store.review.value?.seen ?? new Set(),
  });
}

/** Begins the review, or ends it. */
export function toggleReview(studio: Studio): void {
  const { store } = studio;
  if (store.review.peek()) {
    endReview(store);
    return;
  }
  const job = store.job.peek();
  if (job?.stage === "validation" && job.moves.includes("start")) void moveJob(studio, job, "start");
  store.review.value = { place: null, before: [], seen: new Set() };
  nextPlace(studio);
}

/** Goes to the next place, or says that there is none. */
export function nextPlace(studio: Studio): void {
  const { store } = studio;
  const review = store.review.peek();
  if (!review) return;
  const [place] = placesLeft(studio);
  const before = review.place ? [...review.before, review.place] : review.before;
  if (!place) {
    store.review.value = { ...review, place: null, before };
    store.selection.value = null;
    toast({ text: "You have looked at every frame with a mask.", tone: "info" });
    return;
  }
  const seen = new Set(review.seen);
  for (let frame = place.span[0]; frame <= place.span[1]; frame += 1) seen.add(frame);
  store.review.value = { place, before, seen };
  show(studio, place);
}

export function previousPlace(studio: Studio): void {
  const { store } = studio;
  const review = store.review.peek();
  const place = review?.before.at(-1);
  if (!review || !place) return;
  store.review.value = { ...review, place, before: review.before.slice(0, -1) };
  show(studio, place);
}

export function acceptPlace(studio: Studio): void {
  const place = studio.store.review.peek()?.place;
  if (!place) return;
  acceptUsed(studio, true, place.span); // The selection may be another one by now.
  nextPlace(studio);
}

/** Plays a place of several frames; one frame is only shown. */
function show(studio: Studio, { span }: Place): void {
  const { store } = studio;
  store.selection.value = span;
  seek(studio, span[0]);
  if (span[1] > span[0]) togglePlay(studio);
}
