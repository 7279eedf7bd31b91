// The listening page: finds its places on a document, and draws itself into them.
import { assets, staticHost, widgetHost } from "./host.js";
import styles from "./page.css";
import { start as startPlace } from "./ui/place.js";

/** @param {HTMLElement} element @param {Host} host */
export function start(element, host) {
  if (!document.getElementById("songnet-style")) {
    const style = document.createElement("style");
    style.id = "songnet-style";
    style.textContent = styles;
    document.head.append(style);
  }
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

Object.assign(globalThis, { SongNetPage: { start, assets, widget } });

// A static page says where its files are.
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
