import { describe, expect, it } from "vitest";
import { fakeStudio } from "../editor/testing";
import { addObject, changeObject, objectToDraw, toggleHidden, toggleSolo } from "./objects";
import { draw } from "./scribbles";

describe("the first object", () => {
  it("is made by the first scribble, with the number that the server will give", async () => {
    const studio = fakeStudio({ objects: [] });
    draw(studio, 0, objectToDraw(studio, 1), [[0, 0]]);
    expect(studio.sent).toMatchObject([{ type: "object.add" }, { type: "scribble.add", object: 1 }]);
    expect(objectToDraw(studio, 1)).toBe(1);
    expect(studio.sent.length).toBe(2);
  });

  it("does not take the number of a deleted one", () => {
    const gone = {
      number: 3,
      name: "x",
      color: "#000000",
      label: null,
      deleted: true,
      locked: false,
      position: 3,
    };
    const studio = fakeStudio({ objects: [gone] });
    expect(objectToDraw(studio, 1)).toBe(4);
  });

  it("hands its scribbles over where somebody else was first", async () => {
    const studio = fakeStudio({ objects: [] });
    draw(studio, 0, objectToDraw(studio, 1), [[0, 0]]);
    await studio.ack("object.add", 2);
    expect(studio.sent.at(-1)).toMatchObject({ type: "scribble.add", object: 2 });
    expect(studio.store.scribbles.value.map(({ object }) => object)).toEqual([2]);
  });

  it("is not made for the background", () => {
    const studio = fakeStudio({ objects: [] });
    expect(objectToDraw(studio, 0)).toBe(0);
    expect(studio.sent).toEqual([]);
  });
});

describe("a new object", () => {
  it("is there and chosen at once, and its answer does not take a later choice back", async () => {
    const studio = fakeStudio();
    addObject(studio);
    expect(studio.store.alive.value.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(studio.store.selected.value).toBe(3);
    studio.store.selected.value = 1;
    await studio.ack("object.add", 3);
    expect(studio.store.selected.value).toBe(1);
  });

  it("of a label has its name and colour, as the server will give them", () => {
    const studio = fakeStudio();
    addObject(studio, { id: 7, name: "Koi", color: "#ff7849" });
    expect(studio.store.objects.value.at(-1)).toMatchObject({ name: "Koi 3", color: "#ff7849", label: 7 });
    expect(studio.sent).toMatchObject([{ type: "object.add", label: 7 }]);
  });

  it("can be undone once the server has it", async () => {
    const studio = fakeStudio();
    addObject(studio);
    await studio.ack("object.add", 3);
    expect(studio.history.undo()).toBe(true);
    expect(studio.sent.at(-1)).toMatchObject({ type: "object.update", number: 3, deleted: true });
  });

  it("goes again when the server refuses it", async () => {
    const studio = fakeStudio();
    addObject(studio);
    await studio.refuse("object.add", "too_many_objects");
    expect(studio.store.alive.value.length).toBe(2);
  });
});

describe("an object", () => {
  it("is not renamed to nothing, nor to what it is called", () => {
    const studio = fakeStudio();
    const rider = studio.store.alive.value[0];
    if (!rider) throw new Error("no object");
    changeObject(studio, rider, { name: "   " });
    changeObject(studio, rider, { name: "rider" });
    expect(studio.sent).toEqual([]);
  });

  it("is hidden and shown alone without a message", () => {
    const studio = fakeStudio();
    toggleHidden(studio, 2);
    toggleSolo(studio, 1);
    expect(studio.store.view.value).toMatchObject({ hidden: [2], solo: 1 });
    toggleHidden(studio, 2);
    toggleSolo(studio, 1);
    expect(studio.store.view.value).toMatchObject({ hidden: [], solo: null });
    expect(studio.sent).toEqual([]);
  });
});
