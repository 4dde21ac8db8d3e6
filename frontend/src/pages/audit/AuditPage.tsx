/** What was done on the whole site, for administrators. */
import { call } from "../../api/http";
import { Shell } from "../Shell";
import css from "../WorkPage.module.css";
import { AuditList } from "./AuditList";

export function AuditPage() {
  return (
    <Shell title="Audit log" crumbs={[{ name: "Audit log", href: "/audit" }]}>
      <header class={css.head}>
        <h1>Audit log</h1>
      </header>
      <AuditList
        of="site"
        csv="/api/audit.csv"
        people={[]}
        load={(filter) => call("GET", "/api/audit", { query: filter })}
      />
    </Shell>
  );
}
