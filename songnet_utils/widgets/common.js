// What the widgets share: elements, messages, one sound at a time, colours of the theme.
//
// Python puts this text before each widget's own (messages.py), so nothing is imported.

// ---- Messages and sounds -----------------------------------------------------------------------

// What one kernel tells. There may be several pictures of it, which follow its "changed".
class Told extends EventTarget {
  constructor(model) {
    super();
    this.model = model;
    this.audio = new Audio();
    this.welcome = null;
    this.views = 0;
    this.onMessage = (content, buffers) => this.receive(content, buffers ?? []);
    model.on("msg:custom", this.onMessage);
  }

  close() {
    this.model.off("msg:custom", this.onMessage);
  }

  tell(kind, content = {}, buffers = []) {
    this.model.send({ kind, ...content }, undefined, buffers);
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
}

const MOST_SOUNDS = 12; // kept for playing again

// Sounds that are asked for when they are to be played. There is one <audio> for all of them, so
// never two at a time. A sound goes by a key; `keyOf` finds it in a message, `ask` asks for it.
class Sounds extends Told {
  constructor(model) {
    super(model);
    this.sounds = new Map(); // what is known of sounds, their addresses too, the latest asked last
    this.coming = new Map(); // pieces of sounds on their way
    this.wish = null; // what shall play as soon as it is here: { key, from, until }
    this.errors = new Map();
    this.playing = ""; // what is in the player
    this.until = null;
    this.audio.addEventListener("timeupdate", () => {
      if (this.until !== null && this.audio.currentTime >= this.until) this.pause();
    });
    for (const kind of ["play", "pause", "seeked", "ended", "loadeddata"]) {
      this.audio.addEventListener(kind, () => this.changed(kind));
    }
  }

  close() {
    super.close();
    this.pause();
    this.audio.removeAttribute("src");
    for (const { address } of this.sounds.values()) URL.revokeObjectURL(address);
  }

  on_error(content) {
    const key = this.keyOf(content);
    this.errors.set(key, content.text);
    this.coming.delete(key);
    if (this.wish?.key === key) this.wish = null;
  }

  on_sound(content, buffers) {
    const key = this.keyOf(content);
    const { at, of, mime, address: known } = content;
    if (known) {
      this.keep(key, content); // beside the page
      return;
    }
    const before = at === 0 ? { pieces: [], bytes: 0 } : this.coming.get(key);
    if (!before || before.bytes !== at) return; // a second answer to the same wish
    before.pieces.push(bytesOf(buffers[0]).slice());
    before.bytes += buffers[0].byteLength;
    this.coming.set(key, before);
    if (before.bytes < of) return;
    const address = URL.createObjectURL(new Blob(before.pieces, { type: mime }));
    this.keep(key, { ...content, address });
  }

  keep(key, sound) {
    this.coming.delete(key);
    if (this.sounds.has(key)) return;
    this.sounds.set(key, sound);
    for (const [old, { address }] of this.sounds) {
      if (this.sounds.size <= MOST_SOUNDS) break;
      if (old === key || old === this.playing) continue;
      URL.revokeObjectURL(address);
      this.sounds.delete(old);
    }
    if (this.wish?.key === key) this.start();
  }

  // Play a sound from a moment on (null: where it stands), to a moment or to its end.
  play(key, from = null, until = null) {
    this.errors.delete(key);
    this.wish = { key, from, until };
    if (this.playing !== key) this.audio.pause();
    if (this.sounds.has(key)) {
      this.start();
    } else if (!this.coming.has(key)) {
      this.coming.set(key, { pieces: [], bytes: 0 });
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
    if (error.name === "NotSupportedError" && !address.startsWith("blob:"))
      return `${address}: cannot be played. Is it still beside this page?`;
    return `The browser did not start the sound (${error.message}). Press play again.`;
  }

  pause() {
    this.wish = null;
    this.until = null;
    this.audio.pause();
    this.changed("play");
  }

  // Plays a sound, or pauses it.
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

  // Where a sound stands, in seconds.
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

// What anywidget wants of a widget: something told, and pictures of it.
const widget = (Kind, draw) => () => {
  let told = null;
  return {
    initialize({ model }) {
      told = new Kind(model);
      return () => told.close();
    },
    render({ el }) {
      return draw(told, el);
    },
  };
};

// What a picture of something told needs: a number for the ids in it, a signal that ends its
// listeners, and `frames`, which makes of an act one that waits for the screen's next frame.
let pictures = 0;
function begin(told) {
  const ending = new AbortController();
  const { signal } = ending;
  told.views += 1;
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
      // Nobody could stop a sound whose last picture is gone.
      told.views -= 1;
      if (!told.views) told.pause();
    },
  };
}

// ---- Elements ----------------------------------------------------------------------------------

// An element, written as HTML. A value in it is text, whatever it holds; an element, or a list of
// them, stands where it is put.
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

// Makes elements of the templates in a widget's HTML: `piece("tile", { kernel: 3 })` puts 3 where
// {kernel} stands in the template "tile".
function piecesOf(text) {
  const all = document.createElement("template");
  all.innerHTML = text;
  return (name, values = {}) => {
    const parts = all.content.getElementById(name).innerHTML.split(/\{(\w+)\}/);
    const isName = (_, at) => at % 2;
    const texts = parts.filter((_, at) => !isName(_, at));
    return html(texts, ...parts.filter(isName).map((one) => values[one]));
  };
}

// The parts of an element, by their names.
const partsOf = (root) =>
  Object.fromEntries(
    [...root.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]),
  );

const option = (value, text) => html`<option value="${value}">${text}</option>`;

const swatchOf = (colour) =>
  html`<i class="sw-swatch" aria-hidden="true" style="background: ${colour}"></i>`;

// Changes nothing where nothing is new: a screen reader would say it again.
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const ICON = { play: "M8 5.2v13.6L19 12z", pause: "M7 5h3.6v14H7zM13.4 5H17v14h-3.6z" };

// Makes a button play a sound, or pause it; returns what brings the button up to date.
function player(sounds, button, keyOf, name) {
  const face = button.querySelector(".sw-play") ?? button;
  button.onclick = () => sounds.toggle(keyOf());
  return () => {
    const does = sounds.plays(keyOf()) ? "pause" : "play";
    if (button.dataset.does !== does) {
      button.dataset.does = does;
      button.ariaLabel = (does === "pause" ? "Pause" : "Play") + name;
      face.innerHTML = `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${ICON[does]}"/></svg>`;
    }
    button.classList.toggle("sw-waits", sounds.waits(keyOf()));
    button.ariaBusy = String(sounds.waits(keyOf()));
  };
}

// A table of numbers to press. `cellOf` a row and a column says what stands there; `head` makes of
// a name what stands before its row.
function numberTable(caption, names, cellOf, pressed, head = (name) => name) {
  const cell = (row, column) => {
    const { count, name, paper, ink } = cellOf(row, column);
    const button = html`
      <button type="button" tabindex="-1" aria-label="${name}" aria-pressed="false"
        style="background: ${paper}; color: ${ink}">${count}</button>`;
    button.onclick = () => {
      focusOnly(table, button);
      pressed(row, column, button);
    };
    return html`<td>${button}</td>`;
  };
  const rows = names.map(
    (name, row) => html`
      <tr><th scope="row">${head(name)}</th>${names.map((_, column) => cell(row, column))}</tr>`,
  );
  const table = html`
    <table class="sw-table">
      <caption>${caption}</caption>
      <thead>
        <tr><td></td>${names.map((name) => html`<th scope="col"><span>${name}</span></th>`)}</tr>
      </thead>
      <tbody>${rows}</tbody>
    </table>`;
  const buttons = [...table.querySelectorAll("button")];
  if (buttons.length) buttons[0].tabIndex = 0;
  table.onkeydown = (event) => {
    const next = moved(event.key, buttons.indexOf(event.target), names.length);
    // Enter and space press the button, and are no shortcut of the notebook around it, either.
    if (next !== null || event.key === "Enter" || event.key === " ") event.stopPropagation();
    if (next === null) return;
    event.preventDefault();
    focusOnly(table, buttons[next]);
  };
  return table;
}

// Colours of columns and bands, the lowest band below; `inkOf` says red, green, blue and opacity of
// a value.
function pictureOf({ columns, bands }, values, inkOf) {
  const picture = new ImageData(columns, bands);
  for (const [at, value] of values.entries()) {
    const place = (bands - 1 - (at % bands)) * columns + Math.floor(at / bands);
    picture.data.set(inkOf(value), 4 * place);
  }
  return picture;
}

// ---- Small things ------------------------------------------------------------------------------

// JupyterLab marks its theme on <body>; other pages follow the system.
function onTheme(act, signal) {
  const themes = new MutationObserver(act);
  themes.observe(document.body, { attributes: true });
  signal.addEventListener("abort", () => themes.disconnect());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", act, { signal });
}

// Where a key moves in a grid of `wide` columns whose cell `here` has the focus; null: nowhere.
function moved(key, here, wide) {
  const column = here % wide;
  const moves = {
    ...{ ArrowLeft: column > 0 ? -1 : 0, ArrowRight: column < wide - 1 ? 1 : 0 },
    ...{ ArrowUp: -wide, ArrowDown: wide, Home: -column, End: wide - 1 - column },
  };
  return here < 0 || !(key in moves) ? null : here + moves[key];
}

// One stop for the Tab key in a group of buttons: the one that had the focus last.
function focusOnly(group, button) {
  if (!button) return;
  for (const other of group.querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
  button.tabIndex = 0;
  button.focus();
}

const bytesOf = (view) => new Uint8Array(view.buffer ?? view, view.byteOffset ?? 0, view.byteLength);

// Buffers of a message may start anywhere; typed arrays may not.
const aligned = (view) => bytesOf(view).slice().buffer;

const percent = (share) => `${Math.round(share * 100)} %`;

function time(seconds, digits = 0) {
  const factor = 10 ** digits;
  const rounded = Math.floor(seconds * factor + 1e-6) / factor;
  const rest = (rounded % 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  return `${Math.floor(rounded / 60)}:${rest}`;
}
