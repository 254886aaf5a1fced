// Bundles the editor into one file, the same bytes at each run: `npm ci && npm run build`, in this folder, with Node 20 or later.
// It also collects the licences of what is in the bundle, and prints its SHA-256, which stands in src/render/assets.rs.

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { build } from "esbuild";

const made = await build({
  entryPoints: ["editor.js"],
  outfile: "../editor.min.js",
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "ascii",
  legalComments: "none",
  metafile: true,
});
const inputs = Object.keys(made.metafile.inputs).filter((path) => path.startsWith("node_modules/"));
const names = [...new Set(inputs.map((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)[1]))].sort();
const licences = names.map((name) => {
  const { version, license } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8"));
  return `${name} ${version} (${license})\n\n${readFileSync(`node_modules/${name}/LICENSE`, "utf8").trim()}\n`;
});
writeFileSync("../editor.LICENSE", `The editor (editor.min.js) is bundled from these packages.\n\n${licences.join(`\n${"-".repeat(72)}\n\n`)}`);
const bytes = readFileSync("../editor.min.js");
console.log(`${bytes.length} bytes, SHA-256 ${createHash("sha256").update(bytes).digest("hex")}`);
