import { beforeEach, describe, expect, it } from "vitest";
import { followTheme, setTheme, shownTheme, theme, toggleTheme } from "./theme";

describe("the theme", () => {
  beforeEach(() => {
    localStorage.clear();
    setTheme("system");
  });

  it("is applied to the page and kept", () => {
    followTheme();
    setTheme("light");
    expect(document.documentElement.dataset.theme).toBe("light");
    expect(localStorage.getItem("maskwright.theme")).toBe("light");
    setTheme("dark");
    expect(document.documentElement.dataset.theme).toBe("dark");
  });

  it("switches to the other one than the one that is shown", () => {
    const shown = shownTheme.value;
    toggleTheme();
    expect(shownTheme.value).not.toBe(shown);
    expect(theme.value).not.toBe("system");
    toggleTheme();
    expect(shownTheme.value).toBe(shown);
  });
});
