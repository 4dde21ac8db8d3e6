/** What was done on the whole site, for administrators. */
import { call } from "../../api/http";
import { PageHead } from "../PageHead";
import { Shell } from "../Shell";
import { AuditList } from "./AuditList";

export function AuditPage() {
  return (
    <Shell title="Audit log" crumbs={[{ name: "Audit log", href: "/audit" }]}>
      <PageHead title="Audit log" />
      <AuditList
        of="site"
        csv="/api/audit.csv"
        people={[]}
        load={(filter) => call("GET", "/api/audit", { query: filter })}
      />
    </Shell>
  );
}
