// The parts of the page in their order.
import { button, field, h, option } from "./dom.js";
import { ABOUT, INTRODUCTION } from "./words.js";

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2];

/** @typedef {ReturnType<typeof layout>} Parts */
/**
 * @typedef {object} Acts what a person can do with a button
 * @property {() => void} toggle play
 * @property {() => void} listen to the microphone, or stop
 * @property {() => void} future shown or hidden
 * @property {(isShared: boolean) => void} savePicture
 * @property {() => void} dismiss the error
 */

/** @param {Acts} acts @param {HTMLCanvasElement} canvas of the moving picture
 * @param {HTMLElement[]} bars @param {HTMLElement} list @param {HTMLInputElement} files */
export function layout(acts, canvas, bars, list, files) {
  const choose = () => files.click();
  const quiet = { class: "sp-button sp-quiet" };
  const slider = {
    ...{ role: "slider", tabindex: 0, "aria-label": "Position in the song" },
    ...{ "aria-valuemin": 0, "aria-valuemax": 0, "aria-valuenow": 0 },
  };
  const parts = {
    cover: h("img", { class: "sp-cover", alt: "", hidden: true }),
    title: h("h3", { class: "sp-title" }, " "),
    artist: h("div", { class: "sp-faint" }),
    microphone: button("Microphone", acts.listen),
    error: h("span", {}),
    play: button("", acts.toggle, { class: "sp-button sp-play" }),
    time: h("span", { class: "sp-clock", "aria-hidden": "true" }),
    overview: h("canvas", { class: "sp-overview", "aria-hidden": "true" }),
    stage: h("div", { class: "sp-stage", ...slider }, canvas),
    speed: h("select", {}, ...SPEEDS.map((times) => option(String(times), `${times} ×`))),
    future: button("Hide what comes", acts.future),
    clips: h("select", {}),
    network: h("select", {}),
    second: h("select", {}),
    about: h("p", { class: "sp-faint" }),
    kind: h("p", { class: "sp-kind", role: "status" }),
    notes: h("p", { class: "sp-notes", role: "status" }),
    credit: h("p", { class: "sp-faint" }),
    level: h("meter", { min: 0, max: 1, "aria-label": "Level of the microphone" }),
    delay: h("span", {}),
    status: h("div", { class: "sp-status", role: "status" }),
    answers: h("div", { class: "sp-answers" }, ...bars),
    teach: h("details", { hidden: true }, h("summary", {}, "Teach it your genres")),
  };
  parts.speed.value = "1";
  const dismiss = button("×", acts.dismiss, { ...quiet, "aria-label": "Dismiss" });
  const errors = h(
    "div", { class: "sp-error", role: "alert", hidden: true }, parts.error, dismiss,
  );
  const ear = h("div", { class: "sp-ear", hidden: true }, parts.level, parts.delay);
  const clipField = field("Examples", parts.clips);
  const share = button("Share", () => acts.savePicture(true), { hidden: !navigator.canShare });
  const body = h(
    "div", { class: "sp-body" },
    h("div", { class: "sp-about" },
      h("p", { class: "sp-intro" }, INTRODUCTION),
      h("details", {}, h("summary", {}, "What am I seeing?"), ...ABOUT.map((text) => h("p", {}, text)))),
    h("div", { class: "sp-first-row" },
      h("div", { class: "sp-song-head" },
        parts.cover, h("div", { class: "sp-names" }, parts.title, parts.artist)),
      h("div", { class: "sp-sources" },
        clipField, button("Open songs", choose, { class: "sp-button sp-main" }), parts.microphone, files)),
    errors,
    parts.kind,
    parts.answers,
    h("div", { class: "sp-pictures" },
      parts.stage, h("div", { class: "sp-transport" }, parts.play, parts.overview, parts.time), ear),
    h("div", { class: "sp-settings" },
      field("Network", parts.network), field("Beside it", parts.second), field("Speed", parts.speed),
      parts.future, button("Save picture", () => acts.savePicture(false)), share),
    parts.notes,
    h("div", { class: "sp-foot" }, parts.about, parts.credit),
    list,
    parts.teach,
    parts.status,
    h("div", { class: "sp-drop", "aria-hidden": "true" }, "Drop it: it plays at once"),
  );
  const root = h(
    "div",
    // The attribute of JupyterLab's: or it takes the keys.
    { class: "sp-page", role: "region", "aria-label": "The listening page", "data-lm-suppress-shortcuts": "true" },
    body,
  );
  return { ...parts, errors, ear, clipField, body, root };
}
