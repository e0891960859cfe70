import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

const hub = "http://127.0.0.1:8480";

export default defineConfig({
  plugins: [svelte()],
  build: { target: "es2022", chunkSizeWarningLimit: 1500, assetsInlineLimit: 0 },
  server: { proxy: { "/api": { target: hub, ws: true }, "/ledger": hub } },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
