// Helpers for the page and the other widgets: elements, formatted numbers, the theme.
// In a notebook, this text comes before a widget's own, so it imports nothing.

// Make an element: `h("a", { href }, "More")`.
/** @template {keyof HTMLElementTagNameMap} Tag @param {Tag} tag
 * @param {Record<string, any>} attributes @param {...(string | Node)} children */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Save a file in the browser's folder for downloads.
export function saveFile(/** @type {File} */ file) {
  const href = URL.createObjectURL(file);
  h("a", { href, download: file.name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

// The named parts of an element.
/** @returns {Named} */
export const partsOf = (/** @type {ParentNode} */ root) =>
  Object.fromEntries([...root.querySelectorAll("[data-part]")].map((one) => {
    return [/** @type {HTMLElement} */ (one).dataset.part, one];
  }));

// A copy of a template of page.html: its element and its named parts.
/** @returns {Named} */
export function copy(/** @type {HTMLTemplateElement} */ template) {
  const content = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  return { element: content.firstElementChild, ...partsOf(content) };
}

export function swatch(/** @type {string} */ colour) {
  return h("i", { class: "sn-swatch", "aria-hidden": "true", style: `background: ${colour}` });
}

// Set a text only if it is new, because a screen reader would read it out again.
export function say(/** @type {Element} */ element, /** @type {string} */ text) {
  if (element.textContent !== text) element.textContent = text;
}

const PATHS = { play: "M8 5.2v13.6L19 12z", pause: "M7 5h3.6v14H7zM13.4 5H17v14h-3.6z" };

// Draw a button that plays or pauses `what`; `face` is its part with the icon.
/** @param {HTMLElement} element @param {boolean} plays @param {string} what */
export function drawPlay(element, plays, what = "", face = element) {
  const label = `${plays ? "Pause" : "Play"} ${what}`.trim();
  if (element.ariaLabel === label) return;
  element.ariaLabel = label;
  const path = plays ? PATHS.pause : PATHS.play;
  face.innerHTML = `<svg viewBox="0 0 24 24"><path d="${path}"/></svg>`;
}

export const percent = (/** @type {number} */ share) => `${Math.round(share * 100)} %`;

export function clock(/** @type {number} */ seconds, digits = 0) {
  const rounded = Math.floor(seconds * 10 ** digits + 1e-6) / 10 ** digits;
  const rest = (rounded % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  return `${Math.floor(rounded / 60)}:${rest}`;
}

// JupyterLab and Sphinx's book theme declare their theme; elsewhere, ask the system.
export function isDark() {
  const lab = document.body.dataset.jpThemeLight;
  const { theme } = document.documentElement.dataset;
  if (lab) return lab === "false";
  if (theme === "dark" || theme === "light") return theme === "dark";
  return matchMedia("(prefers-color-scheme: dark)").matches;
}

export function onTheme(/** @type {() => void} */ act, /** @type {AbortSignal} */ signal) {
  const themes = new MutationObserver(act);
  themes.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", act, { signal });
  signal.addEventListener("abort", () => themes.disconnect());
}
