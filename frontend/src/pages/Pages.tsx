/** All pages but the studio, for those who are signed in. */
import { SearchX } from "lucide-preact";
import { useEffect } from "preact/hooks";
import { useLoaded } from "../api/load";
import { arrived, loadMe, me } from "../api/session";
import { EmptyState } from "../parts/EmptyState";
import { go, goOn, type Route } from "../route";
import { Account } from "./Account";
import { AccountPage } from "./account/AccountPage";
import { AuditPage } from "./audit/AuditPage";
import { ProblemState } from "./ProblemState";
import { ProjectPage } from "./ProjectPage";
import { ProjectsPage } from "./ProjectsPage";
import { QuotasPage } from "./quotas/QuotasPage";
import { SecondFactor } from "./SecondFactor";
import { Shell } from "./Shell";
import { Search } from "./search/Search";
import { StatusPage } from "./status/StatusPage";
import { Tokens } from "./Tokens";
import { TrashPage } from "./TrashPage";
import { TeamsPage } from "./teams/TeamsPage";
import { WorkPage } from "./WorkPage";

export default function Pages({ at }: { at: Route }) {
  const asked = useLoaded("me", loadMe);
  const signedIn = me.value;
  const ready = Boolean(signedIn) && !signedIn?.second_factor_missing;
  const away = at.page === "sign-in" && ready;

  useEffect(() => {
    if (away) goOn();
  }, [away]);

  // Whoever annotates begins at their work. The link to the projects still leads to the projects.
  const work = !arrived.peek() && ready && at.page === "projects" && signedIn?.lands === "work";
  useEffect(() => {
    if (ready && !away) arrived.value = true;
    if (work) go("/work");
  }, [ready, away, work]);

  if (asked.problem && !signedIn) {
    return (
      <Shell>
        <ProblemState problem={asked.problem} retry={asked.reload} />
      </Shell>
    );
  }
  if (!signedIn || away || work) return <Shell />;
  if (!ready) {
    return (
      <main>
        <SecondFactor me={signedIn} />
      </main>
    );
  }
  return (
    <>
      <Page at={at} />
      <Account me={signedIn} />
      <SecondFactor me={signedIn} />
      <Tokens />
      <Search />
    </>
  );
}

function Page({ at }: { at: Route }) {
  if (at.page === "projects") return <ProjectsPage />;
  if (at.page === "audit") return <AuditPage />;
  if (at.page === "trash") return <TrashPage />;
  if (at.page === "status") return <StatusPage />;
  if (at.page === "account") return <AccountPage />;
  if (at.page === "teams") return <TeamsPage />;
  if (at.page === "quotas") return <QuotasPage />;
  if (at.page === "work") return <WorkPage />;
  if (at.page === "project") return <ProjectPage key={at.project} id={at.project} tab={at.tab} />;
  return (
    <Shell title="Not found">
      <EmptyState
        icon={SearchX}
        title="There is no page at this address"
        testid="state-missing"
        action={<a href="/">Go to your projects</a>}
      >
        The address may be mistyped, or what it named has been deleted.
      </EmptyState>
    </Shell>
  );
}
