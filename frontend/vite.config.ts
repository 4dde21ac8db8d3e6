/// <reference types="vitest/config" />
import preact from "@preact/preset-vite";
import { defineConfig } from "vite";

// Django serves the build below /static/ (whitenoise); `npm run dev` serves the page itself and forwards
// the addresses below, which webapp/urls.py has, to the Django server.
const django = process.env.MASKWRIGHT_URL ?? "http://127.0.0.1:8710";

export default defineConfig(({ command }) => ({
  plugins: [preact()],
  base: command === "build" ? "/static/" : "/",
  build: { outDir: "dist", sourcemap: true, target: "es2022" },
  server: {
    proxy: {
      "/api": django,
      "/admin": django,
      "/static": django,
      "/sign-in/link": django,
      "/sign-in/oidc": django,
      "/invitation": django,
      "/plain.css": django,
      "^/(healthz|readyz|metrics)(\\?|$)": django,
      "/ws": { target: django, ws: true },
    },
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.ts", "src/**/*.test.tsx"],
    isolate: false,
    setupFiles: "src/testing.ts",
    testTimeout: 20_000, // Other programs may use the processor.
  },
}));
