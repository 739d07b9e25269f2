import { fileURLToPath } from "node:url";
import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const SERVER = process.env.PILOTHOUSE_SERVER ?? "http://127.0.0.1:8420";

/**
 * The toasts' library writes a <style> element when it loads, which the content
 * security policy forbids. Its sheet is imported in `styles/app.css` instead.
 */
function noInjectedStyles(): Plugin {
  return {
    name: "no-injected-styles",
    transform(code, id) {
      if (!/sonner[\\/]dist[\\/]index\.mjs|deps[\\/]sonner/.test(id)) return null;
      return code.replace(/function __insertCSS\(code\) \{/, "function __insertCSS(code) { return;");
    },
  };
}

export default defineConfig({
  plugins: [react(), tailwindcss(), noInjectedStyles()],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  worker: { format: "es" },
  build: {
    outDir: "../pilothouse/web/static",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: {
    port: 5173,
    proxy: { "/api": { target: SERVER, ws: true, changeOrigin: true } },
  },
  optimizeDeps: { exclude: ["sonner"] },
  test: {
    globals: true,
    css: false,
    restoreMocks: true,
    isolate: false,
    silent: "passed-only",
    projects: [
      {
        extends: true,
        test: { name: "logic", include: ["src/**/*.test.ts"], environment: "node" },
      },
      {
        extends: true,
        test: {
          name: "page",
          include: ["src/**/*.test.tsx"],
          environment: "jsdom",
          setupFiles: ["src/test-setup.ts"],
        },
      },
    ],
  },
});
