import { afterEach, expect, test, vi } from "vitest";

const refusal = new TypeError("Failed to fetch");

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

/** Loads the module anew, with a network in which `answers` says what each address answers. */
async function withNetwork(answers: (url: string, init: RequestInit) => Partial<Response>) {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    asked.push(url);
    return answers(url, init);
  });
  return { asked, ...(await import("./pictures")) };
}

const jpeg = { ok: true, blob: async () => new Blob(["jpeg"]) } as Partial<Response>;

test("a bucket that the page may not read is passed by from then on", async () => {
  const { asked, loadPicture } = await withNetwork((url, init) => {
    if (url.endsWith("?direct=0")) return jpeg;
    if (init.redirect === "manual") return { type: "opaqueredirect" };
    throw refusal;
  });
  expect(await (await loadPicture("/0.jpg", {})).text()).toBe("jpeg");
  await loadPicture("/1.jpg", {});
  expect(asked).toEqual(["/0.jpg", "/0.jpg", "/0.jpg?direct=0", "/1.jpg?direct=0"]);
});

test("a site that sends its pictures itself is not asked in another way when the connection breaks", async () => {
  let broken = true;
  const { asked, loadPicture } = await withNetwork(() => {
    if (broken) throw refusal;
    return jpeg;
  });
  await expect(loadPicture("/0.jpg", {})).rejects.toThrow("cannot be reached");
  broken = false;
  await loadPicture("/0.jpg", {});
  expect(asked).toEqual(["/0.jpg", "/0.jpg", "/0.jpg"]);
});

test("a picture that cannot be had in either way does not change how the next one is asked for", async () => {
  const { asked, loadPicture } = await withNetwork((url, init) => {
    if (url.startsWith("/1.jpg")) return jpeg;
    if (init.redirect === "manual") return { type: "opaqueredirect" };
    throw refusal;
  });
  await expect(loadPicture("/0.jpg", {})).rejects.toThrow("cannot be reached");
  await loadPicture("/1.jpg", {});
  expect(asked.at(-1)).toBe("/1.jpg");
});
