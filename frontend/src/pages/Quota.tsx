/** How much of its quota a project or a person has used: frames, bytes and seconds of workers. */
import type { Loaded } from "../api/load";
import type { QuotaUse } from "../api/types";
import { bytes, workTime } from "../format";
import { ListGhost } from "../parts/FramedList";
import { ProblemLine } from "./ProblemLine";
import css from "./Quota.module.css";

interface Part {
  name: string;
  use: QuotaUse["frames"];
  shown: (value: number) => string;
}

const whole = (value: number) => value.toLocaleString("en");

/** Shows each part with its limit, or that it has none. */
export function Quota({ loaded }: { loaded: Loaded<QuotaUse> }) {
  if (!loaded.value) return loaded.problem ? <ProblemLine what="The quota" loaded={loaded} /> : <ListGhost />;
  const { frames, bytes: size, engine_seconds } = loaded.value;
  const parts: Part[] = [
    { name: "Frames", use: frames, shown: whole },
    { name: "Storage", use: size, shown: bytes },
    { name: "Time of workers today", use: engine_seconds, shown: workTime },
  ];
  return (
    <ul class={css.parts} data-testid="quota">
      {parts.map(({ name, use: { limit, used }, shown }) => (
        <li key={name}>
          <span>{name}</span>
          <span class={css.figure}>
            {shown(used)}
            {limit === null ? ", no limit" : ` of ${shown(limit)}`}
          </span>
          {limit !== null && (
            <span class={css.bar} aria-hidden="true">
              <i
                class={used >= limit ? css.full : undefined}
                style={{ width: `${Math.min(100, (100 * used) / Math.max(1, limit))}%` }}
              />
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}
