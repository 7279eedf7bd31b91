// Widgets on pages without Python: each replays what Python recorded.
//
// recording.py puts this text after common.js and the widgets' scripts, as one script that also
// works from disk. A page holds <div class="songnet-recording" data-name=NAME data-media=FOLDER>;
// the recording is in the script FOLDER/NAME.js, which loads when the reader scrolls near it.

// Replaces anywidget's model: it has the traits, and the answers to each message.
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
    const text = `This page does not hold that. ${MORE}`;
    const found = this.answers[Object.values(message).join(" ")] ?? [{ ...message, kind: "error", text }, []];
    const [content, buffers] = found;
    const bytes = buffers.map((one) => Uint8Array.from(atob(one), (c) => c.charCodeAt(0)));
    queueMicrotask(() => this.happens("msg:custom", content, bytes));
  }
}

// Draw a widget as anywidget would.
function drawn(name, model, el) {
  const its = widgets[name];
  const { initialize, render } = typeof its === "function" ? its() : its;
  initialize?.({ model });
  render({ model, el });
}

const MORE = "For everything, run make lab and open this lesson's notebook.";

const waiting = new Map(); // the elements that wait for each recording

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
  // A script inserted as HTML would not run.
  const script = document.createElement("script");
  script.src = `${media}${name}.js`;
  document.head.append(script);
}

// Pass the site's theme on to common.css, which knows JupyterLab's attribute for it.
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
