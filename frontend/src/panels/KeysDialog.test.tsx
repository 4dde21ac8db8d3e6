import { act } from "preact/test-utils";
import { afterEach, describe, expect, it, vi } from "vitest";
import * as session from "../api/session";
import { fakeStudio } from "../editor/testing";
import { click, get, hide, press, show } from "../parts/testing";
import { keyBindings } from "../state/keyBindings";
import { commandOf } from "../studio/command";
import { KeysDialog } from "./KeysDialog";

const kept = vi.spyOn(session, "changeMe").mockResolvedValue();
const { commands } = fakeStudio();

afterEach(() => {
  hide();
  keyBindings.value = {};
  kept.mockClear();
});

const open = () => show(<KeysDialog commands={commands} onClose={() => {}} />);

describe("the dialog of keys", () => {
  it("changes a key and keeps it with the account", async () => {
    await open();
    await click("key-play");
    await press("&", get("key-play"));
    expect(commandOf(commands, "play").keys[0]).toBe("&");
    expect(kept).toHaveBeenCalledWith({ key_bindings: { play: ["&"] } });
  });

  it("says who has the key, and takes it away from them if it is pressed again", async () => {
    await open();
    await click("key-play");
    await press("d", get("key-play"));
    expect(get("keys-conflict").textContent).toContain("Previous frame");
    expect(kept).not.toHaveBeenCalled();
    await press("d", get("key-play"));
    expect(commandOf(commands, "play").keys[0]).toBe("D");
    expect(commandOf(commands, "frame.previous").keys).toEqual(["ArrowLeft"]);
  });

  it("takes the old keys back if the server refuses", async () => {
    kept.mockRejectedValueOnce(new Error("The server cannot save just now."));
    await open();
    await click("key-play");
    await press("&", get("key-play"));
    await act(async () => {});
    expect(commandOf(commands, "play").keys).toEqual([" "]);
  });

  it("has presets", async () => {
    await open();
    const preset = get("keys-preset") as HTMLSelectElement;
    await act(() => {
      preset.value = "cvat";
      preset.dispatchEvent(new Event("change", { bubbles: true }));
    });
    expect(commandOf(commands, "view.mode").keys).toEqual(["Shift+M"]);
  });
});
