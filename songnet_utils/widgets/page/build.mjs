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
  loader: { ".css": "text" },
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

const { outputFiles, metafile } = await build({
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

// What is built in, each with its licence.
const { packages } = JSON.parse(await readFile(join(here, "package-lock.json"), "utf8"));
const built = ["fft.js", "mediabunny", "onnxruntime-common", "onnxruntime-web"];
const licences = [];
for (const name of built) {
  const { version, license } = packages[`node_modules/${name}`];
  licences.push(`${name} ${version} (${license})`);
}
await writeFile(join(target, "LICENSES.txt"), `${licences.join("\n")}\n`);
