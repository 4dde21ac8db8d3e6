/** Starts the page that the address names. */
import { render } from "preact";
import { lazy, Suspense } from "preact/compat";
import { me } from "./api/session";
import { Confirms } from "./parts/Confirm";
import { Toasts } from "./parts/Toast";
import { follow, route } from "./route";
import "./tokens.css";

const SignIn = lazy(() => import("./pages/SignIn"));
const Pages = lazy(() => import("./pages/Pages"));
const StudioPage = lazy(() => import("./editor/StudioPage"));

function App() {
  const at = route.value;
  return (
    <Suspense fallback={null}>
      {me.value === null ? (
        <SignIn />
      ) : at.page === "studio" ? (
        <StudioPage key={at.video} video={at.video} />
      ) : (
        <Pages at={at} />
      )}
      <Confirms />
      <Toasts />
    </Suspense>
  );
}

// A page that was open while the server got a new build asks for parts that are gone: the new page has the new ones.
addEventListener("vite:preloadError", () => {
  const last = Number(sessionStorage.getItem("maskwright.reloaded") ?? 0);
  if (Date.now() - last < 10_000) return; // it is not that: do not reload in circles
  sessionStorage.setItem("maskwright.reloaded", String(Date.now()));
  location.reload();
});

follow();
const root = document.getElementById("app");
if (root) render(<App />, root);
