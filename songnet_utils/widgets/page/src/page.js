// The listening page: finds its places in a document and draws itself there.
import { assets, staticHost, widgetHost } from "./host.js";
import styles from "./page.css";
import * as layer from "./teach/layer.js";
import { teachPanel } from "./teach/panel.js";
import * as trial from "./teach/trial.js";
import { Answers } from "./ui/answers.js";
import { h } from "./ui/dom.js";
import { start as startPlace } from "./ui/place.js";

export function start(/** @type {HTMLElement} */ element, /** @type {Host} */ host) {
  const style = document.getElementById("songnet-style");
  if (!style) document.head.append(h("style", { id: "songnet-style" }, styles));
  return startPlace(element, host);
}

export const widget = {
  /** @param {{model: Model, el: HTMLElement}} place */
  async render({ model, el }) {
    const host = await widgetHost(model);
    const songnet = start(el, host);
    return () => {
      songnet.close();
      host.close();
    };
  },
};

// For tests.
const teaching = { Answers, layer, teachPanel, trial };
Object.assign(globalThis, { SongNetPage: { start, assets, widget, teaching } });

// A static page names the folder of its files.
async function startAll() {
  for (const place of document.querySelectorAll(".songnet-page")) {
    const element = /** @type {HTMLElement} */ (place);
    try {
      start(element, await staticHost(element.dataset.base ?? ""));
    } catch (error) {
      element.textContent = /** @type {Error} */ (error).message;
    }
  }
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", startAll);
else startAll();
