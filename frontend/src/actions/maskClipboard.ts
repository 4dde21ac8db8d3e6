/**
 * Copies the mask of an object, and pastes it into another frame, object or video as a mask that was painted there. The
 * copy is kept in this browser, so that it can be pasted in another window, too.
 */
import { type Bitmap, isEmpty } from "../masks/bitmap";
import { frameLabels } from "../masks/compose";
import { decodeMask, MaskError } from "../masks/decode";
import { base64Of, bytesOfBase64, encodeBitmap } from "../masks/encode";
import { toast } from "../parts/Toast";
import { keyOf } from "../studio/command";
import type { Studio } from "../studio/studio";
import { objectToDraw } from "./objects";
import { paint, pixelsOf, shownAt } from "./painting";
import { refusal } from "./refusal";

const NAME = "maskwright.copiedMask";

/** Copies an object's mask in the frame in view, so that it can be pasted into another frame, object or video. */
export function copyMask(studio: Studio, number: number): void {
  const { store } = studio;
  const frame = store.frame.peek();
  const pixels = pixelsOf(studio, frame, number);
  const name = store.objects.peek().find((object) => object.number === number)?.name ?? "The object";
  if (!pixels || isEmpty(pixels)) {
    toast({ text: `“${name}” has no mask in frame ${frame}.`, tone: "info" });
    return;
  }
  try {
    localStorage.setItem(NAME, base64Of(encodeBitmap(pixels)));
    const key =
      keyOf(studio.commands, "mask.paste") ?? "“Paste the copied mask here” in the menu of an object";
    toast({ text: `Copied the mask of “${name}” in frame ${frame}. ${key} pastes it, in other videos too.` });
  } catch {
    toast({ text: "This browser does not store the copy: its storage is full or disabled.", tone: "bad" });
  }
}

/** Gives an object the copied mask in the frame in view, in place of what it has there. Undo takes it back. */
export function pasteMask(studio: Studio, number: number): void {
  const { store } = studio;
  const video = store.video.peek();
  const copied = readCopy();
  if (!video || !copied) {
    const key = keyOf(studio.commands, "mask.copy") ?? "“Copy its mask here” in the menu of an object";
    toast({ text: `There is no copied mask. ${key} copies the mask of the selected object.`, tone: "info" });
    return;
  }
  const frame = store.frame.peek();
  if (refusal(studio, number, "paint") !== undefined) return;
  paint(
    studio,
    frame,
    objectToDraw(studio, number),
    fitted(copied, video.width, video.height),
    "pasted mask",
    shownAt(studio, frame),
  );
}

function readCopy(): Bitmap | null {
  try {
    const text = localStorage.getItem(NAME);
    if (text === null) return null;
    const map = decodeMask(bytesOfBase64(text));
    return { width: map.width, height: map.height, bits: frameLabels(map) };
  } catch (problem) {
    if (problem instanceof MaskError || problem instanceof DOMException) return null; // No copy that can be read.
    throw problem;
  }
}

/** Returns the bitmap at another size: each pixel is that of the nearest place of the original. */
export function fitted({ width, height, bits }: Bitmap, toWidth: number, toHeight: number): Bitmap {
  if (width === toWidth && height === toHeight) return { width, height, bits };
  const scaled = new Uint8Array(toWidth * toHeight);
  const columns = Array.from({ length: toWidth }, (_, x) => Math.floor(((x + 0.5) * width) / toWidth));
  for (let y = 0; y < toHeight; y++) {
    const row = Math.floor(((y + 0.5) * height) / toHeight) * width;
    for (let x = 0; x < toWidth; x++) scaled[y * toWidth + x] = bits[row + (columns[x] as number)] as number;
  }
  return { width: toWidth, height: toHeight, bits: scaled };
}
