/** Commands of the view: zoom, ways to show masks, help. */
import {
  Blend,
  CircleHelp,
  GitCompare,
  Keyboard,
  Layers,
  Maximize,
  Scan,
  Search,
  SunMoon,
  ZoomIn,
  ZoomOut,
} from "lucide-preact";
import { toggleTheme } from "../parts/theme";
import type { Mode } from "../state/view";
import type { CommandSpec } from "../studio/command";
import type { Studio } from "../studio/studio";
import { compareCommands } from "./compare";
import { setView } from "./objects";

const MODES: readonly Mode[] = ["overlay", "outline", "mask", "changes", "matte"];

const group = "View";

export function viewCommands(studio: Studio): CommandSpec[] {
  return [...zooms(studio), ...modes(studio), ...compareCommands(studio), ...aids(studio), ...help(studio)];
}

function zooms({ stage }: Studio): CommandSpec[] {
  return [
    {
      id: "view.fit",
      name: "Fit the picture",
      group,
      icon: Maximize,
      keys: ["Ctrl+0"],
      perform: () => stage.fit(),
    },
    { id: "view.100", name: "100 %", group, icon: Scan, keys: ["Ctrl+1"], perform: () => stage.zoomTo(1) },
    {
      id: "view.in",
      name: "Zoom in",
      group,
      icon: ZoomIn,
      keys: ["+", "="],
      repeats: true,
      perform: () => stage.zoomBy(1.25),
    },
    {
      id: "view.out",
      name: "Zoom out",
      group,
      icon: ZoomOut,
      keys: ["-"],
      repeats: true,
      perform: () => stage.zoomBy(0.8),
    },
  ];
}

function modes(studio: Studio): CommandSpec[] {
  const { store } = studio;
  const mode = (wanted: Mode) => setView(studio, () => ({ mode: wanted }));
  return [
    {
      id: "view.mode",
      name: "Next way to show masks",
      group,
      icon: Layers,
      keys: ["M"],
      perform: () => mode(MODES[(MODES.indexOf(store.view.peek().mode) + 1) % MODES.length] as Mode),
    },
    {
      id: "view.compare",
      name: "Compare with the round before",
      group,
      icon: GitCompare,
      keys: ["W"],
      enabled: () => typeof store.shownBase.value === "number",
      pressed: () => store.view.value.mode === "changes",
      perform: () => mode(store.view.peek().mode === "changes" ? "overlay" : "changes"),
    },
  ];
}

/** What helps to see edges: a magnifier, and the contours of the frames before and after. */
function aids(studio: Studio): CommandSpec[] {
  const { store } = studio;
  return [
    {
      id: "view.magnifier",
      name: "Magnifier beside the cursor",
      group,
      icon: Search,
      keys: ["Z"],
      pressed: () => store.view.value.magnifier,
      perform: () => setView(studio, ({ magnifier }) => ({ magnifier: !magnifier })),
    },
    {
      id: "view.onion",
      name: "Contours of the frames before and after",
      group,
      icon: Blend,
      keys: ["Shift+O"],
      pressed: () => store.view.value.onion > 0,
      perform: () => setView(studio, ({ onion }) => ({ onion: onion > 0 ? 0 : 1 })),
    },
  ];
}

function help({ store }: Studio): CommandSpec[] {
  return [
    {
      id: "view.theme",
      name: "Light or dark theme",
      group,
      icon: SunMoon,
      keys: ["Shift+T"],
      perform: toggleTheme,
    },
    {
      id: "keys.open",
      name: "Change keys",
      group: "Help",
      icon: Keyboard,
      keys: ["Ctrl+K"],
      perform: () => {
        store.dialog.value = "keys";
      },
    },
    {
      id: "help.open",
      name: "Keys and gestures",
      group: "Help",
      icon: CircleHelp,
      keys: ["?"],
      perform: () => {
        store.dialog.value = "help";
      },
    },
  ];
}
