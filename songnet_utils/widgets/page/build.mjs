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

// What is built in, with the licence of each.
const { packages } = JSON.parse(await readFile(join(here, "package-lock.json"), "utf8"));
const licenceOf = {
  "fft.js": ["README.md", "https://github.com/indutny/fft.js"],
  "@noble/hashes": ["LICENSE", "https://github.com/paulmillr/noble-hashes"],
  mediabunny: ["LICENSE", "https://github.com/Vanilagy/mediabunny"],
  "onnxruntime-web": [null, "https://github.com/microsoft/onnxruntime"],
};
const readme = await readFile(join(here, "node_modules/fft.js/README.md"), "utf8");
const [, mit] = readme.split(/Copyright Fedor Indutny, 2017\.\s*/);
const parts = [];
for (const [name, [file, source]] of Object.entries(licenceOf)) {
  const { version, license } = packages[`node_modules/${name}`];
  const whole = file === "LICENSE" && (await readFile(join(here, "node_modules", name, file), "utf8"));
  const holder = file ? "Copyright Fedor Indutny, 2017." : "Copyright (c) Microsoft Corporation.";
  const text = whole || `${holder}\n\n${mit.split("\n[")[0]}`;
  parts.push(`${name} ${version} (${license}), ${source}\n\n${text.trim()}\n`);
}
await writeFile(join(target, "LICENSES.txt"), parts.join(`\n${"-".repeat(80)}\n\n`));
