/** The entry point: shows the page of the current address. */
import { render } from "preact";
import { lazy, Suspense } from "preact/compat";
import { me } from "./api/session";
import { Confirms } from "./parts/Confirm";
import { Toasts } from "./parts/Toast";
import { followTheme } from "./parts/theme";
import { follow, route } from "./route";
import "./tokens.css";

const SignIn = lazy(() => import("./pages/SignIn"));
const Pages = lazy(() => import("./pages/Pages"));
const StudioPage = lazy(() => import("./editor/StudioPage"));

function App() {
  const at = route.value;
  // Without the second factor that the site demands, the server opens no video. Pages then asks for it.
  const opensVideo = at.page === "studio" && !me.value?.second_factor_missing;
  return (
    <Suspense fallback={null}>
      {me.value === null ? (
        <SignIn />
      ) : opensVideo ? (
        <StudioPage key={at.video} video={at.video} />
      ) : (
        <Pages at={at} />
      )}
      <Confirms />
      <Toasts />
    </Suspense>
  );
}

// If the server got a new build while the page was open, modules of the old build are gone. Reloading gets the new
// page.
addEventListener("vite:preloadError", () => {
  const last = Number(sessionStorage.getItem("maskwright.reloaded") ?? 0);
  if (Date.now() - last < 10_000) return; // The reason is another one: do not reload forever.
  sessionStorage.setItem("maskwright.reloaded", String(Date.now()));
  location.reload();
});

followTheme();
follow();
const root = document.getElementById("app");
if (root) render(<App />, root);
