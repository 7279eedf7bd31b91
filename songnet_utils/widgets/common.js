// Code that the widgets share: messages, one sound at a time, tables of numbers, keys.
//
// Python puts this text between the page's dom.js and each widget's own text (messages.py), so
// the widgets import nothing.

// ---- Messages and sounds -----------------------------------------------------------------------

const MOST_SOUNDS = 12; // that stay in memory

// The data that Python sent. Several views may show it; they follow its event "changed".
//
// The widget requests a sound when you play it. One <audio> plays all sounds, so two never overlap.
// Each sound has a key: `keyOf` finds it in a message, and `ask` requests its sound.
class Sounds extends EventTarget {
  audio = new Audio();
  welcome = null;
  views = 0;
  sounds = new Map(); // the messages with sounds, in the order of their arrival
  coming = new Set(); // the keys of requested sounds
  wish = null; // the sound to play as soon as it arrives: { key, from, until }
  errors = new Map();
  playing = ""; // the key of the sound in the player
  until = null;

  constructor(model) {
    super();
    this.model = model;
    this.onMessage = (content, buffers) => this.receive(content, buffers ?? []);
    model.on("msg:custom", this.onMessage);
    this.audio.addEventListener("timeupdate", () => {
      if (this.until !== null && this.audio.currentTime >= this.until) this.pause();
    });
    for (const kind of ["play", "pause", "seeked", "ended", "loadeddata"]) {
      this.audio.addEventListener(kind, () => this.changed(kind));
    }
  }

  tell(kind, content = {}) {
    this.model.send({ kind, ...content });
  }

  changed(what) {
    this.dispatchEvent(new CustomEvent("changed", { detail: what }));
  }

  receive(content, buffers) {
    this[`on_${content.kind}`]?.(content, buffers);
    this.changed(content.kind);
  }

  on_welcome(content) {
    this.welcome = content;
  }

  close() {
    this.model.off("msg:custom", this.onMessage);
    this.pause();
    this.audio.removeAttribute("src");
  }

  on_error(content) {
    const key = this.keyOf(content);
    this.errors.set(key, content.text);
    this.coming.delete(key);
    if (this.wish?.key === key) this.wish = null;
  }

  on_sound(content) {
    const key = this.keyOf(content);
    this.coming.delete(key);
    this.sounds.set(key, content);
    for (const old of this.sounds.keys()) {
      if (this.sounds.size <= MOST_SOUNDS) break;
      if (old !== key && old !== this.playing) this.sounds.delete(old);
    }
    if (this.wish?.key === key) this.start();
  }

  // Play a sound from a given time (null: from its position) to a given time or to its end.
  play(key, from = null, until = null) {
    this.errors.delete(key);
    this.wish = { key, from, until };
    if (this.playing !== key) this.audio.pause();
    if (this.sounds.has(key)) {
      this.start();
    } else if (!this.coming.has(key)) {
      this.coming.add(key);
      this.ask(key);
    }
    this.changed("play");
  }

  start() {
    const { key, from, until } = this.wish;
    this.wish = null;
    if (this.playing !== key) {
      this.playing = key;
      this.audio.src = this.sounds.get(key).address;
    }
    if (from !== null) this.audio.currentTime = from;
    else if (this.audio.ended) this.audio.currentTime = 0;
    this.until = until;
    this.audio.play().catch((error) => {
      if (error.name === "AbortError") return; // another sound took its place
      this.errors.set(key, this.whyNot(this.sounds.get(key).address, error));
      this.changed("error");
    });
  }

  whyNot(address, error) {
    if (error.name === "NotSupportedError" && !address.startsWith("data:"))
      return `${address}: cannot be played. Check that the file is still beside this page.`;
    return `The browser did not start the sound (${error.message}). Press Play again.`;
  }

  pause() {
    this.wish = null;
    this.until = null;
    this.audio.pause();
    this.changed("play");
  }

  // Play a sound, or pause it.
  toggle(key, from = null) {
    if (this.plays(key)) this.pause();
    else this.play(key, from);
  }

  plays(key) {
    if (this.wish) return this.wish.key === key;
    return this.playing === key && !this.audio.paused && !this.audio.ended;
  }

  waits(key) {
    return this.wish?.key === key && !this.sounds.has(key);
  }

  // The position in a sound, in seconds.
  at(key) {
    return this.playing === key ? this.audio.currentTime : 0;
  }

  seek(key, seconds) {
    if (this.playing === key) {
      this.until = null;
      this.audio.currentTime = seconds;
      this.changed("seek");
    } else this.play(key, seconds);
  }
}

// A widget as anywidget wants it: data, and views of the data.
const widget = (Kind, draw) => () => {
  let data = null;
  return {
    initialize({ model }) {
      data = new Kind(model);
      return () => data.close();
    },
    render({ el }) {
      return draw(data, el);
    },
  };
};

// Return what a view needs: a number for its ids, a signal that ends its listeners, and `frames`,
// which delays a function to the screen's next frame.
let pictures = 0;
function begin(data) {
  const ending = new AbortController();
  const { signal } = ending;
  data.views += 1;
  return {
    signal,
    number: ++pictures,
    frames(act) {
      let asked = 0;
      const now = () => {
        asked = 0;
        if (!signal.aborted) act();
      };
      return () => (asked ||= requestAnimationFrame(now));
    },
    end(root) {
      ending.abort();
      root.remove();
      // Without a view, nobody could stop the sound.
      data.views -= 1;
      if (!data.views) data.pause();
    },
  };
}

// ---- Elements ----------------------------------------------------------------------------------

// Make an element from HTML. Values are inserted as text, never as HTML; elements and lists of
// elements are inserted as they are.
function html(strings, ...values) {
  const put = [];
  const written = (value) => {
    if (Array.isArray(value)) return value.map(written).join("");
    if (value instanceof Node) return `<template data-put="${put.push(value) - 1}"></template>`;
    return String(value ?? "").replace(/[&<"]/g, (sign) => `&#${sign.charCodeAt()};`);
  };
  const template = document.createElement("template");
  template.innerHTML = String.raw({ raw: strings }, ...values.map(written)).trim();
  const marks = template.content.querySelectorAll("[data-put]");
  for (const mark of marks) mark.replaceWith(put[mark.dataset.put]);
  return document.adoptNode(template.content.firstElementChild);
}

// Make an element from a template of common.html: `piece("tile", { kernel: 3 })` replaces {kernel}
// in the template "tile" by 3.
const templates = document.createElement("template");
templates.innerHTML = pieces;
function piece(name, values = {}) {
  const parts = templates.content.getElementById(name).innerHTML.split(/\{(\w+)\}/);
  const isName = (_, at) => at % 2;
  const texts = parts.filter((_, at) => !isName(_, at));
  return html(texts, ...parts.filter(isName).map((one) => values[one]));
}

const option = (value, text) => html`<option value="${value}">${text}</option>`;

// Make a button play and pause a sound; return a function that updates the button.
function player(sounds, button, keyOf, name) {
  const face = button.querySelector(".sw-play") ?? button;
  button.onclick = () => sounds.toggle(keyOf());
  return () => {
    const waits = sounds.waits(keyOf());
    drawPlay(button, sounds.plays(keyOf()), name, face);
    button.classList.toggle("sw-waits", waits);
    button.ariaBusy = String(waits);
  };
}

// A table of numbers to press. `cellOf(row, column)` returns a cell's content and its share of the
// largest number, 0 to 1; `head(name)` returns the head of a row.
function numberTable(caption, names, cellOf, pressed, head = (name) => name) {
  const cell = (row, column) => {
    const its = cellOf(row, column);
    // As in the plot of the matrix, more clips give a deeper blue. The ink is legible on all tints.
    const cell = piece("number", { ...its, tint: Math.round(60 * its.share) });
    const button = cell.firstElementChild;
    button.onclick = () => {
      focusOnly(table, button);
      pressed(row, column, button);
    };
    return cell;
  };
  const table = piece("table", { caption });
  const parts = partsOf(table);
  parts.head.append(...names.map((name) => html`<th scope="col"><span>${name}</span></th>`));
  for (const [row, name] of names.entries()) {
    const cells = names.map((_, column) => cell(row, column));
    parts.body.append(html`<tr><th scope="row">${head(name)}</th>${cells}</tr>`);
  }
  const buttons = [...table.querySelectorAll("button")];
  if (buttons.length) buttons[0].tabIndex = 0;
  onArrows(table, () => buttons, () => names.length);
  // Enter and space press the button; they must not reach the notebook's shortcuts.
  table.addEventListener("keydown", (event) => event.stopPropagation());
  return table;
}

// Draw values of columns and bands, with the lowest band at the bottom; `inkOf` returns the red,
// green, blue and opacity of a value.
function pictureOf({ columns, bands }, values, inkOf) {
  const picture = new ImageData(columns, bands);
  for (const [at, value] of values.entries()) {
    const place = (bands - 1 - (at % bands)) * columns + Math.floor(at / bands);
    picture.data.set(inkOf(value), 4 * place);
  }
  return picture;
}

// ---- Small things ------------------------------------------------------------------------------

// Arrow keys, Home and End move the focus in a group of buttons with `wideOf()` of them per row.
function onArrows(group, buttonsOf, wideOf) {
  group.addEventListener("keydown", (event) => {
    const all = buttonsOf();
    const wide = wideOf();
    const here = all.indexOf(event.target);
    const first = here - (here % wide);
    const last = Math.min(first + wide, all.length) - 1;
    const to = {
      ...{ ArrowLeft: Math.max(first, here - 1), ArrowRight: Math.min(last, here + 1) },
      ...{ Home: first, End: last, ArrowUp: first ? here - wide : here },
      ArrowDown: last < all.length - 1 ? Math.min(here + wide, all.length - 1) : here,
    }[event.key];
    if (here < 0 || to === undefined) return;
    event.preventDefault();
    focusOnly(group, all[to]);
  });
}

// The Tab key stops once in a group of buttons, at the one that had the focus last.
function focusOnly(group, button) {
  if (!button) return;
  for (const other of group.querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
  button.tabIndex = 0;
  button.focus();
}

const bytesOf = (view) => new Uint8Array(view.buffer ?? view, view.byteOffset ?? 0, view.byteLength);

// A message's buffers may start at any byte; typed arrays may not.
const aligned = (view) => bytesOf(view).slice().buffer;
