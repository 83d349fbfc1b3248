import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { defineConfig, type Plugin } from "vite";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** htmx is served as its authors ship it, beside the islands, so that pages need no second asset pipeline. */
function shipHtmx(): Plugin {
  return {
    name: "ship-htmx",
    apply: "build",
    generateBundle() {
      this.emitFile({
        type: "asset",
        fileName: "htmx.min.js",
        source: readFileSync(here("node_modules/htmx.org/dist/htmx.min.js")),
      });
    },
  };
}

/** MIT and BSD ask that their notices travel with every copy; the bundle strips comments, so they go into one file. */
function shipNotices(): Plugin {
  const packageOf = /node_modules\/((?:@[^/]+\/)?[^/]+)\//g;
  return {
    name: "ship-notices",
    apply: "build",
    generateBundle(_options, bundle) {
      const names = new Set(["htmx.org"]);
      for (const output of Object.values(bundle)) {
        for (const module of output.type === "chunk" ? output.moduleIds : []) {
          const found = [...module.matchAll(packageOf)].at(-1)?.[1];
          if (found) names.add(found);
        }
      }
      const notices = [...names].sort().map((name) => {
        const folder = here(`node_modules/${name}`);
        const about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
          version: string;
          license?: string;
        };
        const texts = readdirSync(folder)
          .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
          .map((file) => readFileSync(join(folder, file), "utf8").trim());
        return [`${name} ${about.version} (${about.license ?? "see below"})`, ...texts].join("\n\n");
      });
      this.emitFile({
        type: "asset",
        fileName: "THIRD_PARTY_NOTICES.txt",
        source: notices.join(`\n\n${"-".repeat(80)}\n\n`) + "\n",
      });
    },
  };
}

export default defineConfig({
  // Relative, so that the bundle works wherever the static files are mounted.
  base: "./",
  publicDir: false,
  resolve: {
    // Pulled in by a DICOM-to-XML path that no island uses; its dynamic requires stop the bundle from loading.
    alias: { xmlbuilder2: here("src/viewer/no_xml.ts") },
  },
  worker: {
    format: "es",
    rolldownOptions: {
      output: {
        entryFileNames: "chunks/[name]-[hash].js",
        chunkFileNames: "chunks/[name]-[hash].js",
        assetFileNames: "chunks/[name]-[hash][extname]",
      },
    },
  },
  build: {
    outDir: here("../static/build"),
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 6000,
    rolldownOptions: {
      input: {
        viewer: here("src/viewer/viewer.ts"),
        uploader: here("src/uploader/uploader.ts"),
        live: here("src/live/live.ts"),
        arrange: here("src/arrange/arrange.ts"),
      },
      onLog(level, log, handle) {
        // The codecs carry a branch for Node that a browser never takes; everything else is worth reading.
        if (!log.message.includes("externalized for browser compatibility")) handle(level, log);
      },
      output: {
        // Pages name the entries; everything behind them is hashed and may be cached for ever.
        entryFileNames: "[name].js",
        chunkFileNames: "chunks/[name]-[hash].js",
        // Kept out of the entries, so that no chunk imports an entry: under another address that would run it twice.
        codeSplitting: { groups: [{ name: "shared", test: /src\/shared\/|vite\/preload-helper/ }] },
        assetFileNames: (asset) =>
          asset.names.some((name) => /^(viewer|uploader)\.css$/.test(name)) ? "[name][extname]" : "chunks/[name]-[hash][extname]",
      },
    },
  },
  plugins: [shipHtmx(), shipNotices()],
});
