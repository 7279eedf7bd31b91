// Builds vendor/ (or the folder given) from src/ and the packages of package-lock.json.
import { readFile, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = process.argv[2] ?? join(here, "vendor");
const options = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  write: false,
  target: "es2022",
  format: "iife",
  charset: "utf8",
  legalComments: "none",
  loader: { ".css": "text", ".html": "text" },
  logOverride: { "empty-import-meta": "silent" },
};

// `import text from "text:worker"` is the text of src/worker.js, bundled.
const texts = {
  name: "texts",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^text:/ }, ({ path }) => ({ path, namespace: "text" }));
    onLoad({ filter: /.*/, namespace: "text" }, async ({ path }) => {
      const entry = join("src", `${path.slice("text:".length)}.js`);
      const { outputFiles } = await build({ ...options, entryPoints: [entry] });
      return { contents: outputFiles[0].text, loader: "text" };
    });
  },
};

const { outputFiles } = await build({
  ...options,
  entryPoints: ["src/page.js"],
  plugins: [texts],
});
await mkdir(target, { recursive: true });
await writeFile(join(target, "songnet.js"), outputFiles[0].text);
const wasm = await readFile(
  join(here, "node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm"),
);
await writeFile(join(target, "ort.wasm.gz"), gzipSync(wasm, { level: 9 }));

// The packages in the build, with their licences.
const { packages } = JSON.parse(await readFile(join(here, "package-lock.json"), "utf8"));
const readme = await readFile(join(here, "node_modules/fft.js/README.md"), "utf8");
const holder = "Copyright Fedor Indutny, 2017.";
const mit = readme.slice(readme.indexOf(holder)).split("\n[")[0].trim();
const noble = await readFile(join(here, "node_modules/@noble/hashes/LICENSE"), "utf8");
const mpl = await readFile(join(here, "node_modules/mediabunny/LICENSE"), "utf8");
const idb = await readFile(join(here, "node_modules/idb-keyval/LICENCE"), "utf8");
const apache = (await readFile(join(here, "node_modules/typescript/LICENSE"), "utf8"))
  .replaceAll("\r", "");
const licences = [
  ["@noble/hashes", "https://github.com/paulmillr/noble-hashes", noble.trim()],
  ["fft.js", "https://github.com/indutny/fft.js", mit],
  ["idb-keyval", "https://github.com/jakearchibald/idb-keyval", `${idb.trim()}\n\n${apache.trim()}`],
  ["mediabunny", "https://github.com/Vanilagy/mediabunny", mpl.trim()],
  [
    "onnxruntime-web",
    "https://github.com/microsoft/onnxruntime",
    mit.replace(holder, "Copyright (c) Microsoft Corporation."),
  ],
].map(([name, source, text]) => {
  const { version, license } = packages[`node_modules/${name}`];
  return `${name} ${version} (${license}), ${source}\n\n${text}\n`;
});
await writeFile(join(target, "LICENSES.txt"), licences.join(`\n${"-".repeat(80)}\n\n`));
