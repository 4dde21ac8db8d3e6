/** All pages but the studio. */
import type { Route } from "../route";

export default function Pages({ at }: { at: Route }) {
  return <main>{at.page}</main>;
}
