/** Commands of jobs: the moves of the one in hand, the next one, the reviewer's mode, and pins. */
import {
  ArrowRightToLine,
  BadgeCheck,
  Check,
  MapPin,
  MapPinPlus,
  ScanEye,
  SendHorizontal,
  SkipBack,
  SkipForward,
  Undo2,
} from "lucide-preact";
import type { CommandSpec } from "../studio/command";
import type { Studio } from "../studio/studio";
import { goToNextJob, type JobAction, moveJob } from "./jobs";
import { goToPin, nextOpenPin } from "./pins";
import { acceptPlace, nextPlace, placesLeft, previousPlace, toggleReview } from "./review";

const group = "Jobs";

/** Commands of the reviewer's mode. They share keys with others and come first while somebody reviews. */
export function reviewCommands(studio: Studio): CommandSpec[] {
  const { store } = studio;
  const reviewing = () => store.review.value !== null;
  return [
    {
      id: "review.accept",
      name: "Review: accept this place and go on",
      group,
      icon: Check,
      keys: ["Enter"],
      enabled: () =>
        Boolean(store.review.value?.place) && store.canDraw.value && store.polygon.value === null,
      perform: () => acceptPlace(studio),
    },
    {
      id: "review.next",
      name: "Review: go on without accepting",
      group,
      icon: SkipForward,
      keys: ["Tab"],
      enabled: () => reviewing() && placesLeft(studio).length > 0,
      perform: () => nextPlace(studio),
    },
    {
      id: "review.back",
      name: "Review: back to the place before",
      group,
      icon: SkipBack,
      keys: ["Shift+Tab"],
      enabled: () => (store.review.value?.before.length ?? 0) > 0,
      perform: () => previousPlace(studio),
    },
  ];
}

/** Pins, and beginning a review. */
export function pinCommands(studio: Studio): CommandSpec[] {
  const { store } = studio;
  return [
    {
      id: "review.toggle",
      name: "Review: go through unsure and changed frames",
      group,
      icon: ScanEye,
      keys: ["Shift+R"],
      enabled: () => store.canDraw.value && store.head.value !== null,
      pressed: () => store.review.value !== null,
      perform: () => toggleReview(studio),
    },
    {
      id: "pin.add",
      name: "Set a pin with a comment",
      group,
      icon: MapPinPlus,
      keys: ["Shift+M"],
      enabled: () => store.canDraw.value,
      pressed: () => store.pinning.value,
      perform: () => {
        store.playing.value = false;
        store.pinning.value = !store.pinning.peek();
      },
    },
    {
      id: "pin.next",
      name: "Next open pin",
      group,
      icon: MapPin,
      keys: ["Shift+J"],
      enabled: () => nextOpenPin(studio) !== null,
      perform: () => {
        const pin = nextOpenPin(studio);
        if (pin) goToPin(studio, pin);
      },
    },
  ];
}

export function jobCommands(studio: Studio): CommandSpec[] {
  const { store } = studio;
  const may = (action: JobAction) => store.job.value?.moves.includes(action) ?? false;
  return [
    {
      id: "job.submit",
      name: "Submit the job",
      group,
      icon: SendHorizontal,
      keys: ["Ctrl+Enter"],
      enabled: () => may("submit"),
      perform: () => {
        store.dialog.value = "submit";
      },
    },
    {
      id: "job.accept",
      name: "Accept the job",
      group,
      icon: BadgeCheck,
      keys: ["Shift+A"],
      enabled: () => may("accept"),
      perform: () => {
        const job = store.job.peek();
        if (job) void moveJob(studio, job, "accept");
      },
    },
    {
      id: "job.reject",
      name: "Send the job back",
      group,
      icon: Undo2,
      keys: ["Shift+X"],
      enabled: () => may("reject"),
      perform: () => {
        store.dialog.value = "reject";
      },
    },
    {
      id: "job.next",
      name: "Next job of my work",
      group,
      icon: ArrowRightToLine,
      keys: ["Shift+N"],
      perform: () => void goToNextJob(studio),
    },
  ];
}
