/** The total progress of uploads that continue while another page is shown, with a link to them. */
import { Upload } from "lucide-preact";
import { plural } from "../format";
import { route } from "../route";
import { jobs } from "../uploads/queue";
import css from "./UploadsPill.module.css";

const RUNNING = new Set(["waiting", "sending", "broken"]);

export function UploadsPill() {
  const running = jobs.value.filter((job) => RUNNING.has(job.state));
  const at = route.value;
  const here = at.page === "project" && at.tab === "videos" ? at.project : null;
  const elsewhere = running.find((job) => job.project !== here);
  if (!elsewhere) return null;
  const size = running.reduce((sum, job) => sum + job.size, 0);
  const received = running.reduce((sum, job) => sum + job.received, 0);
  const broken = running.some((job) => job.state === "broken");
  return (
    <a
      href={`/projects/${elsewhere.project}`}
      class={`${css.pill} ${broken ? css.broken : ""}`}
      data-testid="uploads-pill"
    >
      <Upload size={14} aria-hidden="true" />
      {plural(running.length, "upload")} · {size ? Math.floor((received / size) * 100) : 0} %
    </a>
  );
}
