/** Starts the page that the address names. */
import { render } from "preact";
import { lazy, Suspense } from "preact/compat";
import { me } from "./pages/session";
import { Confirms } from "./parts/Confirm";
import { Toasts } from "./parts/Toast";
import { follow, route } from "./route";
import "./tokens.css";

const SignIn = lazy(() => import("./pages/SignIn"));
const Pages = lazy(() => import("./pages/Pages"));
const Studio = lazy(() => import("./studio/Studio"));

function App() {
  const at = route.value;
  return (
    <Suspense fallback={null}>
      {me.value === null ? (
        <SignIn />
      ) : at.page === "studio" ? (
        <Studio key={at.video} video={at.video} />
      ) : (
        <Pages at={at} />
      )}
      <Confirms />
      <Toasts />
    </Suspense>
  );
}

follow();
const root = document.getElementById("app");
if (root) render(<App />, root);
