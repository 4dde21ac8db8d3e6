/** Starts the page that the address names. */
import { render } from "preact";
import { lazy, Suspense } from "preact/compat";
import { Confirms } from "./parts/Confirm";
import { Toasts } from "./parts/Toast";
import { follow, route } from "./route";
import "./tokens.css";

const Pages = lazy(() => import("./pages/Pages"));
const Studio = lazy(() => import("./studio/Studio"));

function App() {
  const at = route.value;
  return (
    <Suspense fallback={null}>
      {at.page === "studio" ? <Studio key={at.video} video={at.video} /> : <Pages at={at} />}
      <Confirms />
      <Toasts />
    </Suspense>
  );
}

follow();
const root = document.getElementById("app");
if (root) render(<App />, root);
