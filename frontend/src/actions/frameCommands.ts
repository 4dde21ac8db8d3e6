/** Commands that go through the frames. */

import type { LucideIcon } from "lucide-preact";
import {
  ChevronFirst,
  ChevronLast,
  ChevronLeft,
  ChevronRight,
  ChevronsLeft,
  ChevronsRight,
  FastForward,
  Link,
  Play,
  Repeat,
  Rewind,
  Scissors,
  SkipForward,
  StepBack,
  StepForward,
  Undo,
} from "lucide-preact";
import type { CommandSpec } from "../studio/command";
import type { Studio } from "../studio/studio";
import { goToCut, toggleCut } from "./cuts";
import { copyLink } from "./links";
import { changeRate, seek, step, togglePlay } from "./playback";
import { SuggestionVisits } from "./suggestionVisits";

const group = "Frames";

export function frameCommands(studio: Studio): CommandSpec[] {
  return [...steps(studio), ...jumps(studio), ...cuts(studio)];
}

const lastOf = ({ store }: Studio): number => (store.video.value?.frame_count ?? 1) - 1;

function steps(studio: Studio): CommandSpec[] {
  const { store } = studio;
  const last = () => lastOf(studio);
  const before = () => store.frame.value > 0;
  const after = () => store.frame.value < last();
  const go = (id: string, name: string, icon: LucideIcon, keys: string[], by: number): CommandSpec => ({
    id,
    name,
    group,
    icon,
    keys,
    repeats: true,
    enabled: by < 0 ? before : after,
    perform: () => step(studio, by),
  });
  return [
    {
      id: "play",
      name: "Play or pause",
      group,
      icon: Play,
      keys: [" "],
      enabled: () => last() > 0,
      pressed: () => store.playing.value,
      perform: () => togglePlay(studio),
    },
    {
      id: "play.loop",
      name: "Play again and again",
      group,
      icon: Repeat,
      keys: ["Q"],
      pressed: () => store.loop.value,
      perform: () => {
        store.loop.value = !store.loop.peek();
      },
    },
    {
      id: "play.slower",
      name: "Play slower",
      group,
      icon: Rewind,
      keys: ["<"],
      perform: () => changeRate(studio, -1),
    },
    {
      id: "play.faster",
      name: "Play faster",
      group,
      icon: FastForward,
      keys: [">"],
      perform: () => changeRate(studio, 1),
    },
    go("frame.previous", "Previous frame", ChevronLeft, ["D", "ArrowLeft"], -1),
    go("frame.next", "Next frame", ChevronRight, ["F", "ArrowRight"], 1),
    go("frame.back10", "10 frames back", ChevronsLeft, ["C"], -10),
    go("frame.forward10", "10 frames forward", ChevronsRight, ["V"], 10),
  ];
}

function jumps(studio: Studio): CommandSpec[] {
  const { store } = studio;
  const visits = new SuggestionVisits(studio);
  return [
    {
      id: "frame.first",
      name: "First frame",
      group,
      icon: ChevronFirst,
      keys: ["Home"],
      enabled: () => store.frame.value > 0,
      perform: () => seek(studio, 0),
    },
    {
      id: "frame.last",
      name: "Last frame",
      group,
      icon: ChevronLast,
      keys: ["End"],
      enabled: () => store.frame.value < lastOf(studio),
      perform: () => seek(studio, lastOf(studio)),
    },
    {
      id: "frame.suggested",
      name: "Next frame to fix",
      group,
      icon: SkipForward,
      keys: ["Tab"],
      enabled: () => store.suggestion.value !== null,
      perform: () => visits.next(),
    },
    {
      id: "frame.link",
      name: "Copy a link to this frame and object",
      group,
      icon: Link,
      keys: ["Ctrl+Shift+L"],
      perform: () => copyLink(studio),
    },
    {
      id: "frame.suggestedBack",
      name: "Back from a frame to fix",
      group,
      icon: Undo,
      keys: ["Shift+Tab"],
      enabled: () => visits.canGoBack.value,
      perform: () => visits.back(),
    },
    {
      id: "frame.skip",
      name: "Skip the next frame to fix",
      group,
      icon: ChevronsRight,
      keys: ["."],
      enabled: () => store.suggestion.value !== null,
      perform: () => visits.skip(),
    },
  ];
}

/** Scene cuts: rounds do not cross them unless the person asks for it. */
function cuts(studio: Studio): CommandSpec[] {
  const { store } = studio;
  const any = () => store.cuts.value.length > 0;
  return [
    {
      id: "cut.toggle",
      name: "Scene cut at this frame: add or remove",
      group,
      icon: Scissors,
      keys: ["T"],
      enabled: () => store.canDraw.value && lastOf(studio) > 0,
      pressed: () => store.cuts.value.includes(store.frame.value),
      perform: () => toggleCut(studio),
    },
    {
      id: "cut.previous",
      name: "Previous scene cut",
      group,
      icon: StepBack,
      keys: ["Ctrl+ArrowLeft"],
      enabled: any,
      perform: () => goToCut(studio, -1),
    },
    {
      id: "cut.next",
      name: "Next scene cut",
      group,
      icon: StepForward,
      keys: ["Ctrl+ArrowRight"],
      enabled: any,
      perform: () => goToCut(studio, 1),
    },
  ];
}
