/** Answers of the server for tests. */

/** Returns an answer to a request for thumbnails, whose pictures of one byte have the number of their frame in it. */
export function packedPictures(url: string, without: (frame: number) => boolean = () => false): Response {
  const query = new URL(url, "http://localhost").searchParams;
  const [first, last, step] = ["first", "last", "step"].map((name) => Number(query.get(name)));
  const bytes: number[] = [];
  for (let frame = first as number; frame <= (last as number); frame += step as number)
    if (!without(frame)) bytes.push(frame & 255, frame >> 8, 0, 0, 1, 0, 0, 0, frame & 255);
  return new Response(new Uint8Array(bytes));
}
