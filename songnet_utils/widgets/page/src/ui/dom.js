// Small things that every part of the page uses: elements, words for numbers, the theme.

/** @typedef {string | Node | null | false | undefined} Child */

/**
 * Makes an element: `h("button", {class: "sp-button", onclick}, "Play")`.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {Record<string, any>} attributes @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child || child === "").map((child) => child || ""));
  return element;
}

/** @param {string} text @param {(event: Event) => void} onclick @param {object} attributes */
export const button = (text, onclick, attributes = {}) =>
  h("button", { type: "button", class: "sp-button", onclick, ...attributes }, text);

/** @param {string} value @param {string} text */
export const option = (value, text) => h("option", { value }, text);

/** @param {string} colour */
export function swatch(colour) {
  const mark = h("i", { class: "sp-swatch", "aria-hidden": "true" });
  mark.style.background = colour;
  return mark;
}

/** A select with its label. @param {string} label @param {HTMLSelectElement} select */
export const field = (label, select) => h("label", { class: "sp-field" }, h("span", {}, label), select);

// Changes nothing where nothing is new: a screen reader would say it again.
/** @param {Element} element @param {string} text */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const PATHS = {
  play: "M8 5.2v13.6L19 12z",
  pause: "M7 5h3.6v14H7zM13.4 5H17v14h-3.6z",
  stop: "M6 6h12v12H6z",
};

/** @param {HTMLElement} element @param {keyof typeof PATHS} name @param {string} label */
export function icon(element, name, label) {
  if (element.dataset.icon === name && element.getAttribute("aria-label") === label) return;
  element.dataset.icon = name;
  element.setAttribute("aria-label", label);
  element.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${PATHS[name]}"/></svg>`;
}

/** @param {number} share */
export const percent = (share) => `${Math.round(share * 100)} %`;

/** @param {number} seconds @param {number} digits */
export function clock(seconds, digits = 0) {
  const factor = 10 ** digits;
  const rounded = Math.floor(seconds * factor + 1e-6) / factor;
  const rest = (rounded % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  return `${Math.floor(rounded / 60)}:${rest}`;
}

// JupyterLab and Sphinx's book theme say which theme they show; elsewhere the system does.
export function isDark() {
  const lab = document.body.dataset.jpThemeLight;
  if (lab) return lab === "false";
  const { theme } = document.documentElement.dataset;
  if (theme === "dark" || theme === "light") return theme === "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

/** @param {() => void} act @param {AbortSignal} signal */
export function onTheme(act, signal) {
  const themes = new MutationObserver(act);
  themes.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", act, { signal });
  signal.addEventListener("abort", () => themes.disconnect());
}
