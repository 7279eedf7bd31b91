// Widgets on pages without Python: each is live with what Python recorded of it.
//
// recording.py puts this text behind common.js and the widgets' own, as one script that works from
// disk, too. A page holds <div class="songnet-recording" data-name=NAME data-media=FOLDER>; what was
// recorded is in the script FOLDER/NAME.js, which is loaded when a reader comes near.

// Stands in for anywidget's model: its traits, and for each message its answers.
class Recorded {
  constructor({ traits = {}, answers = {} }) {
    Object.assign(this, { traits, answers, acts: new Set() });
  }

  get(name) {
    return this.traits[name];
  }

  set(name, value) {
    this.traits[name] = value;
    this.happens(`change:${name}`);
  }

  save_changes() {}

  on(kind, act) {
    this.acts.add({ kind, act });
  }

  happens(kind, ...what) {
    for (const one of this.acts) if (one.kind === kind) one.act(...what);
  }

  send(message) {
    const text = `This page holds no more. ${MORE}`;
    const found = this.answers[Object.values(message).join(" ")] ?? [{ ...message, kind: "error", text }, []];
    const [content, buffers] = found;
    const bytes = buffers.map((one) => Uint8Array.from(atob(one), (c) => c.charCodeAt(0)));
    queueMicrotask(() => this.happens("msg:custom", content, bytes));
  }
}

// Draw a widget as anywidget does.
function drawn(name, model, el) {
  const its = widgets[name];
  const { initialize, render } = typeof its === "function" ? its() : its;
  initialize?.({ model });
  render({ model, el });
}

const MORE = "The notebook has all of it: run make lab and open this lesson.";

const waiting = new Map(); // places whose recording is on its way, by name

globalThis.SongNetRecordings = {
  add(name, text) {
    for (const el of waiting.get(name) ?? []) {
      const { widget, note, ...recording } = JSON.parse(text.replaceAll("media:", el.dataset.media));
      el.replaceChildren();
      drawn(widget, new Recorded(recording), el);
      if (note) el.append(html`<p class="sr-note">${note} ${MORE}</p>`);
    }
    waiting.delete(name);
  },
};

function load(el) {
  const { name, media } = el.dataset;
  const others = waiting.get(name);
  waiting.set(name, [...(others ?? []), el]);
  if (others) return;
  // A script that was written as HTML would not run.
  const script = document.createElement("script");
  script.src = `${media}${name}.js`;
  document.head.append(script);
}

// The site's theme is chosen on the page; common.css knows JupyterLab's sign of one.
function followTheme() {
  const say = () => {
    const { theme } = document.documentElement.dataset;
    if (theme) document.body.dataset.jpThemeLight = String(theme !== "dark");
  };
  new MutationObserver(say).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  say();
}

function beginPage() {
  const near = new IntersectionObserver(
    (seen) => {
      for (const { isIntersecting, target } of seen) {
        if (!isIntersecting) continue;
        near.unobserve(target);
        load(target);
      }
    },
    { rootMargin: "1500px" },
  );
  const places = document.querySelectorAll(".songnet-recording");
  if (!places.length) return;
  const sheet = document.head.appendChild(document.createElement("style"));
  sheet.textContent = style;
  followTheme();
  for (const el of places) near.observe(el);
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", beginPage);
else beginPage();
