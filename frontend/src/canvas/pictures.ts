import { HttpProblem, request } from "../api/http";

/** Whether pictures are asked for where the site says that they are, which may be a bucket. */
let direct = true;

/**
 * Returns the bytes of a picture of the site. If the bucket to which the site points does not let this page read it, as
 * without a CORS rule, the site sends this picture and all later ones itself. Raises what `request` raises.
 */
export async function loadPicture(url: string, init: RequestInit): Promise<Blob> {
  if (direct) {
    try {
      return await (await request(url, init)).blob();
    } catch (error) {
      const refused = error instanceof HttpProblem && [0, 403].includes(error.status);
      if (!refused || !(await isElsewhere(url, init))) throw error;
      const picture = await fromSite(url, init);
      direct = false; // The site could send what the bucket could not, so the bucket is at fault.
      return picture;
    }
  }
  return fromSite(url, init);
}

/** Returns the bytes of a picture that the site sends itself, wherever it keeps it. */
async function fromSite(url: string, init: RequestInit): Promise<Blob> {
  return (await request(`${url}?direct=0`, init)).blob();
}

/** Returns whether the site answers with another address, at which it does not look. */
async function isElsewhere(url: string, init: RequestInit): Promise<boolean> {
  const answer = await fetch(url, { ...init, redirect: "manual" }).catch(() => undefined);
  return answer?.type === "opaqueredirect";
}
