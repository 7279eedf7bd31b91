// The listening page: finds its places on a document, and draws itself into them.
import { Engine } from "./engine/engine.js";
import { assets, staticHost, widgetHost } from "./host.js";

/** @typedef {import("./host.js").Host} Host */

/** @param {HTMLElement} element @param {Host} host */
export function start(element, host) {
  const engine = new Engine(host);
  let network = host.networks[0].name;
  const songnet = {
    engine,
    ready: engine.describe(network).then(({ genres }) => ({
      network,
      networks: host.networks.map(({ name }) => name),
      genres,
    })),
    /** @param {string} name */
    async use(name) {
      const { genres } = await engine.describe(name);
      network = name;
      return { network, networks: host.networks.map(({ name }) => name), genres };
    },
    /** @param {Blob | string} song */
    async open(song) {
      const blob = typeof song === "string" ? await (await fetch(song)).blob() : song;
      const { genres } = await engine.describe(network);
      /** @type {{start: number, end: number, probabilities: number[]}[]} */
      const steps = [];
      const { seconds } = await engine.listen(blob, network, {
        onSteps: (told) =>
          told.steps.forEach(({ start, end, probabilities }) =>
            steps.push({ start, end, probabilities: [...probabilities] }),
          ),
      });
      const means = genres.map(
        (_, i) => steps.reduce((sum, step) => sum + step.probabilities[i], 0) / steps.length,
      );
      const genre = genres[means.indexOf(Math.max(...means))];
      const probabilities = Object.fromEntries(genres.map((name, i) => [name, means[i]]));
      return { seconds, genre, probabilities, genres, steps };
    },
    close: () => engine.close(),
  };
  element.dataset.state = "ready";
  Object.assign(window, { songnet });
  return songnet;
}

export const widget = {
  /** @param {{model: import("./host.js").Model, el: HTMLElement}} place */
  async render({ model, el }) {
    const host = await widgetHost(model);
    const songnet = start(el, host);
    return () => {
      songnet.close();
      host.close();
    };
  },
};

Object.assign(globalThis, { SongNetPage: { start, assets, widget } });

// A static page says where its files are.
async function startAll() {
  for (const element of document.querySelectorAll(".songnet-page")) {
    const place = /** @type {HTMLElement} */ (element);
    start(place, await staticHost(place.dataset.base ?? ""));
  }
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", startAll);
else startAll();
