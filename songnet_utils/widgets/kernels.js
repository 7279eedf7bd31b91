// The kernel gallery in the browser: pictures of what kernels like, and their sounds at a click.
//
// Python sends pictures and figures of all kernels at once, what else is known of a kernel when it
// is chosen, and a sound when it is played (kernels.py says which messages there are). common.js
// stands before this text.
//
// A `Gallery` is what is told; `draw` makes a picture of it, of which there may be several.

// ---- What is known -----------------------------------------------------------------------------

class Gallery extends Sounds {
  constructor(model) {
    super(model);
    this.cards = new Map(); // of kernels that were chosen
    this.wanted = new Set(); // cards that were asked for
    this.starts = new Map(); // where the pieces of sounds start that were here
    this.layers = []; // of kernels
    this.tell("hello");
  }

  // What a message is about, in one word: "found/2/17/", "song/2/17/0".
  keyOf({ what, layer, kernel, song }) {
    return [what, layer, kernel, song ?? ""].join("/");
  }

  ask(key) {
    const [what, layer, kernel, song] = key.split("/");
    const about = { what, layer: Number(layer), kernel: Number(kernel) };
    this.tell("sound", song === "" ? about : { ...about, song: Number(song) });
  }

  on_welcome(content, buffers) {
    super.on_welcome(content);
    const pictures = new Int8Array(aligned(buffers[0]));
    const votes = new Float32Array(aligned(buffers[1]));
    const genres = content.genres.length;
    let pixel = 0;
    let before = 0;
    this.layers = content.layers.map((layer) => {
      const { columns, bands, number } = layer;
      return Array.from({ length: layer.kernels }, (_, kernel) => {
        const its = { layer: number, kernel, of: layer, id: `${number}/${kernel}` };
        for (const name of ["fires", "largest", "genre", "dead", "twin", "beats", "decibels"]) {
          its[name] = layer[name][kernel];
        }
        its.picture = pictures.subarray(pixel, (pixel += columns * bands));
        its.votes = votes.subarray(before, (before += genres));
        const most = its.votes.indexOf(Math.max(...its.votes));
        its.vote = its.dead || !(its.votes[most] > 0) ? -1 : most;
        return its;
      });
    });
  }

  on_card(content) {
    this.cards.set(this.keyOf(content), content);
  }

  on_sound(content, buffers) {
    this.starts.set(this.keyOf(content), content.starts);
    super.on_sound(content, buffers);
  }

  cardOf({ layer, kernel }) {
    const about = { what: "card", layer, kernel };
    const key = this.keyOf(about);
    const error = this.errors.get(key);
    if (!this.wanted.has(key)) {
      this.wanted.add(key);
      this.tell("card", about);
    }
    return { card: this.cards.get(key), error };
  }
}

// ---- The picture of it -------------------------------------------------------------------------

const SOUND_NAMES = { found: "Found", dreamed: "Dreamed", song: "Song as it hears it" };
const MARKS = [100, 300, 1000, 3000, 10_000]; // hertz that are written beside a picture

const ORDERS = [
  ["number", "number", (a, b) => a.kernel - b.kernel],
  ["genre", "genre it votes for most", (a, b) => a.vote - b.vote || b.votes[b.vote] - a.votes[a.vote]],
  ["loudness", "loudness (largest activation)", (a, b) => b.largest - a.largest],
  ["activity", "activity (how often it fires)", (a, b) => b.fires - a.fires],
];

function draw(gallery, el) {
  const { signal, number, on, end } = begin(gallery);
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  const about = h("p", { class: "sk-about" }, "Waiting for Python …");
  const tabs = h("div", { class: "sk-tabs", role: "tablist", "aria-label": "Layers" });
  const order = h("select", { id: `sk-order-${number}` }, ORDERS.map(([value, text]) => option(value, text)));
  const filter = h("select", { id: `sk-filter-${number}` });
  const status = h("p", { class: "sk-status", role: "status" });
  const grid = h("div", { class: "sk-grid", role: "group" });
  const shelf = h("div", { class: "sk-shelf", role: "tabpanel", id: `sk-shelf-${number}` }, grid);
  const legend = h("div", { class: "sk-legend" });
  const panel = h("section", { class: "sk-panel", "aria-label": "The chosen kernel" });
  const root = h(
    "div",
    {
      ...{ class: "sw-widget sk-kernels", role: "group", "aria-label": "Kernel gallery" },
      "data-lm-suppress-shortcuts": "true", // or JupyterLab takes the keys
    },
    [
      about,
      tabs,
      h("div", { class: "sk-choice" }, [
        h("label", { for: order.id }, ["Sort by", order]),
        h("label", { for: filter.id }, ["Votes for", filter]),
        status,
      ]),
      h("div", { class: "sk-main" }, [h("div", { class: "sk-left" }, [shelf, legend]), panel]),
    ],
  );
  root.gallery = gallery; // for tests
  el.append(root);

  let layer = 0; // the place of the one that is laid out
  let chosen = null;
  let pinned = null; // stands beside the chosen one
  let song = 0; // which song is heard as a kernel hears it
  let signs = []; // short for the genres' names
  let sides = [];
  const tiles = new Map(); // by a kernel's id

  const colour = (genre) => gallery.welcome.colours[genre];
  const keyOf = (what, { layer, kernel }) =>
    gallery.keyOf({ what, layer, kernel, ...(what === "song" ? { song } : {}) });

  // -- Choosing a layer, an order, a genre --
  function sayWelcome() {
    const { network, corpus, clips, genres, layers, dead, twins } = gallery.welcome;
    const count = layers.reduce((sum, { kernels }) => sum + kernels, 0);
    about.textContent =
      `${network}: ${count} kernels in ${layers.length} layers, over ${clips.toLocaleString("en")} ` +
      `clips of ${corpus}. ${dead === 0 ? "None is" : dead === 1 ? "1 is" : `${dead} are`} dead; ` +
      (twins === 0 ? "no two say nearly the same." : `${twins} ${twins === 1 ? "pair says" : "pairs say"} nearly the same (twins).`);
    signs = genres.map((genre) => short(genre, genres));
    tabs.replaceChildren(
      ...layers.map((its, place) => {
        const tab = h(
          "button",
          {
            ...{ type: "button", role: "tab", "aria-controls": shelf.id, tabindex: "-1" },
            ...{ id: `sk-tab-${number}-${place}`, "data-layer": String(its.number) },
          },
          [h("b", {}, its.name), h("span", {}, `${its.kernels} kernels, each sees ${its.seconds.toFixed(2)} s`)],
        );
        on(tab, "click", () => show(place));
        return tab;
      }),
    );
    filter.replaceChildren(
      option("", "any genre"),
      ...genres.map((genre, place) => option(String(place), genre)),
      option("dead", "none: dead ones"),
    );
    legend.replaceChildren(
      h("p", {}, [
        h("span", { class: "sk-scale", "aria-hidden": "true" }),
        "less … more sound than usual where it fires, from low (below) to high",
      ]),
      h("ul", { "aria-label": "Signs of the genres" }, [
        ...genres.map((genre, place) => h("li", {}, [swatchOf(colour(place)), signs[place] === genre ? genre : `${signs[place]} ${genre}`])),
        h("li", {}, [h("i", { class: "sk-cross", "aria-hidden": "true" }), "dead: never fires"]),
        h("li", {}, "≈ has a twin"),
      ]),
    );
    show(0);
  }

  function show(place) {
    layer = place;
    for (const [at, tab] of [...tabs.children].entries()) {
      tab.setAttribute("aria-selected", String(at === place));
      tab.tabIndex = at === place ? 0 : -1;
    }
    const its = gallery.welcome.layers[place];
    root.dataset.layer = String(its.number);
    shelf.setAttribute("aria-labelledby", tabs.children[place].id);
    grid.setAttribute("aria-label", `Kernels of ${its.name}: arrow keys move, Enter plays`);
    shelf.scrollTop = 0;
    lay();
  }

  on(tabs, "keydown", (event) => {
    const count = tabs.children.length;
    const to = { ArrowLeft: layer - 1, ArrowRight: layer + 1, Home: 0, End: count - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    show((to + count) % count);
    tabs.children[layer].focus();
  });
  on(order, "change", lay);
  on(filter, "change", lay);

  function lay() {
    const all = gallery.layers[layer];
    const [, , compare] = ORDERS.find(([name]) => name === order.value);
    const last = ({ dead, vote }) => (order.value === "number" ? 0 : order.value === "genre" ? vote < 0 : dead);
    const found = all
      .filter(({ dead, vote }) => !filter.value || (filter.value === "dead" ? dead : String(vote) === filter.value))
      .sort((a, b) => last(a) - last(b) || (last(a) ? a.kernel - b.kernel : compare(a, b)));
    grid.replaceChildren(...found.map(tileOf));
    status.textContent = `${found.length} of ${all.length} kernels`;
    root.dataset.shown = String(found.length);
    for (const tile of grid.children) tile.tabIndex = -1;
    const first = grid.querySelector('[aria-current="true"]') ?? grid.firstElementChild;
    if (first) first.tabIndex = 0;
  }

  // -- A kernel in the grid --
  function tileOf(its) {
    if (tiles.has(its.id)) return tiles.get(its.id);
    const { genres } = gallery.welcome;
    const canvas = canvasOf(its);
    const vote = its.vote < 0 ? (its.dead ? "dead" : "none") : signs[its.vote];
    const tile = h(
      "button",
      {
        ...{ type: "button", class: "sk-tile", tabindex: "-1", "data-kernel": String(its.kernel) },
        "aria-label": [
          `Kernel ${its.kernel}`,
          its.dead ? "dead: it never fires" : its.vote < 0 ? "votes for no genre" : `votes for ${genres[its.vote]}`,
          ...(its.dead ? [] : [`fires ${percent(its.fires)} of the time`]),
          ...(its.twin === null ? [] : [`twin of kernel ${its.twin}`]),
        ].join(", "),
      },
      [
        h("span", { class: "sk-thumb" }, canvas),
        h("span", { class: "sk-name" }, [
          `${its.kernel}${its.twin === null ? "" : " ≈"}`,
          h("span", { class: "sk-sign" }, vote),
        ]),
      ],
    );
    tile.kernel = its;
    tile.style.setProperty("--sk-genre", its.vote < 0 ? "var(--sw-line)" : colour(its.vote));
    tile.classList.toggle("sk-dead", its.dead);
    tiles.set(its.id, tile);
    return tile;
  }

  on(grid, "click", (event) => {
    const tile = event.target.closest(".sk-tile");
    if (!tile) return;
    focusOnly(grid, tile);
    choose(tile.kernel);
  });
  // One stop for the Tab key; the arrow keys move inside.
  on(grid, "keydown", (event) => {
    const all = [...grid.children];
    const wide = getComputedStyle(grid).gridTemplateColumns.split(" ").length;
    const next = moved(event.key, all.indexOf(event.target), wide);
    if (next === null) return;
    event.preventDefault();
    focusOnly(grid, all[Math.min(next, all.length - 1)]);
  });
  on(root, "keydown", (event) => {
    if (event.key === "Escape" && chosen) {
      gallery.pause();
      focusOnly(grid, grid.querySelector('[aria-current="true"]'));
      event.preventDefault();
    }
    // Keys meant for the widget are not for the notebook around it.
    event.stopPropagation();
  });

  // -- The chosen kernel, and the one beside it --
  function choose(its) {
    const key = keyOf("found", its);
    const again = chosen === its;
    chosen = its;
    root.dataset.open = its.id;
    for (const tile of tiles.values()) tile.removeAttribute("aria-current");
    tiles.get(its.id)?.setAttribute("aria-current", "true");
    if (!again) sayPanel();
    if (its.dead) gallery.pause();
    else if (gallery.plays(key)) gallery.pause();
    else gallery.play(key, 0);
  }

  function go(its) {
    filter.value = "";
    show(its.layer - 1);
    choose(its);
    focusOnly(grid, tiles.get(its.id));
  }

  function pin(its) {
    pinned = pinned === its ? null : its;
    sayPanel();
    panel.querySelector(`[data-side="${its.id}"] .sk-pin`)?.focus();
  }

  function sayPanel() {
    const shown = [...new Set([pinned, chosen])].filter(Boolean);
    sides = shown.map(side);
    const hint = !shown.length
      ? "Choose a kernel: it sounds at once, and what is known of it stands here."
      : pinned && shown.length === 1
        ? "Now choose another kernel: it will stand beside this one."
        : "";
    panel.replaceChildren(...sides.map(({ element }) => element), ...(hint ? [h("p", { class: "sk-hint" }, hint)] : []));
    panel.classList.toggle("sk-two", shown.length === 2);
    root.classList.toggle("sk-compares", shown.length === 2);
    root.dataset.sides = String(shown.length);
    for (const tile of tiles.values()) tile.classList.toggle("sk-pinned", tile.kernel === pinned);
    say();
  }

  function side(its) {
    const { welcome } = gallery;
    const { card, error } = gallery.cardOf(its);
    const heading = h("h4", { id: `sk-side-${number}-${its.layer}-${its.kernel}` }, `Kernel ${its.kernel} of ${its.of.name}`);
    const stays = pinned === its;
    const compare = h(
      "button",
      { type: "button", class: "sw-button sk-pin", "aria-pressed": String(stays) },
      stays ? "Stop comparing" : "Compare",
    );
    on(compare, "click", () => pin(its));
    const names = welcome.sounds.filter((what) => !(its.dead && what === "found"));
    const players = names.map((what) => player(its, what));
    const clock = h("span", { class: "sk-clock", "aria-hidden": "true" });
    const busy = h("p", { class: "sk-busy", role: "status" });
    const trouble = h("p", { class: "sw-error", role: "alert", hidden: "" });
    const pieces = (card?.pieces ?? []).map((piece, place) => pieceOf(its, piece, place));
    const big = bigPicture(its);
    const songs = names.includes("song") ? songList(its) : [];
    const element = h("div", { class: "sk-side", role: "group", "aria-labelledby": heading.id, "data-side": its.id }, [
      h("div", { class: "sk-head" }, [heading, verdict(its), compare]),
      h("div", { class: "sk-players" }, [...players.map(({ button }) => button), clock, ...songs]),
      busy,
      trouble,
      ...(its.dead ? [] : [big.element, facts(its), votesOf(its)]),
      ...(pieces.length
        ? [
            h("h4", {}, `Found in ${pieces.length} pieces of music, the strongest first`),
            h("ol", { class: "sk-pieces" }, pieces.map(({ item }) => item)),
          ]
        : []),
    ]);

    // What changes while it sounds.
    function say() {
      for (const { key, button, what } of players) {
        const plays = gallery.plays(key());
        if (button.dataset.plays !== String(plays)) {
          button.dataset.plays = String(plays);
          button.querySelector(".sw-play").innerHTML = plays ? ICON.pause : ICON.play;
          button.setAttribute("aria-label", `${plays ? "Pause" : "Play"}: ${SOUND_NAMES[what]}, kernel ${its.kernel} of ${its.of.name}`);
        }
        button.classList.toggle("sw-waits", gallery.waits(key()));
        button.setAttribute("aria-busy", String(gallery.waits(key())));
      }
      const waits = players.find(({ key }) => gallery.waits(key()));
      const doing = {
        found: "Cutting its pieces out of the songs …",
        dreamed: "Python dreams: that takes seconds, on a busy machine up to a minute. Other sounds can be played meanwhile.",
        song: "Python carries the song through the network and back: that takes seconds.",
      };
      tell(busy, waits ? doing[waits.what] : "");
      const troubles = players.map(({ key }) => gallery.errors.get(key())).filter(Boolean);
      tell(trouble, [error, ...troubles].filter(Boolean).join(" "));
      trouble.hidden = !trouble.textContent;

      const playing = players.find(({ key }) => gallery.playing === key());
      const moving = playing && gallery.plays(playing.key());
      const now = playing ? gallery.audio.currentTime : 0;
      const { duration } = gallery.audio;
      clock.textContent = playing && duration ? `${time(now, 1)} / ${time(duration, 1)}` : "";
      const starts = playing ? (gallery.starts.get(playing.key()) ?? [0]) : [];
      const place = starts.findLastIndex((start) => start <= now + 0.01);
      const sounds = moving && playing.what === "found" ? place : -1;
      for (const [at, { item }] of pieces.entries()) {
        if (at === sounds) item.setAttribute("aria-current", "true");
        else item.removeAttribute("aria-current");
      }
      const within = moving && playing.what !== "song" ? (now - starts[place]) / its.of.seconds : -1;
      big.mark(still.matches || within > 1 ? -1 : within);
      return moving;
    }
    return { its, element, say, card, error };
  }

  function player(its, what) {
    const button = h("button", { type: "button", class: "sk-sound", "data-what": what }, [
      h("span", { class: "sw-play", "aria-hidden": "true" }),
      SOUND_NAMES[what],
    ]);
    const key = () => keyOf(what, its);
    on(button, "click", () => (gallery.plays(key()) ? gallery.pause() : gallery.play(key())));
    return { what, key, button };
  }

  function songList(its) {
    const list = h(
      "select",
      { "aria-label": `Song that kernel ${its.kernel} of ${its.of.name} hears`, class: "sk-songs" },
      gallery.welcome.songs.map(({ name, genre }, place) => option(String(place), `${name} (${genre})`)),
    );
    list.value = String(song);
    const credit = h("p", { class: "sk-credit" }, gallery.welcome.songs[song].credit);
    on(list, "change", () => {
      song = Number(list.value);
      for (const other of panel.querySelectorAll(".sk-songs")) other.value = list.value;
      for (const other of panel.querySelectorAll(".sk-players .sk-credit")) {
        other.textContent = gallery.welcome.songs[song].credit;
      }
      if (gallery.playing.startsWith("song/")) gallery.pause();
      say();
    });
    return [list, credit];
  }

  function verdict(its) {
    if (its.dead) return h("span", { class: "sk-verdict" }, "dead: it never fires");
    if (its.vote < 0) return h("span", { class: "sk-verdict" }, "votes for no genre");
    return h("span", { class: "sk-verdict" }, [
      swatchOf(colour(its.vote)),
      `votes for ${gallery.welcome.genres[its.vote]}`,
    ]);
  }

  function facts(its) {
    const rows = [
      ["Fires", [`${(100 * its.fires).toFixed(1)} % of the time`]],
      ["Largest activation", [its.largest === null ? "–" : its.largest.toFixed(2)]],
      ["Most active in", [its.genre ?? "–"]],
    ];
    if (its.beats !== null) rows.push(["Beat that stands out", [`${Math.round(its.beats)} a minute`]]);
    if (its.twin !== null) {
      const twin = h("button", { type: "button", class: "sk-link" }, `kernel ${its.twin}`);
      on(twin, "click", () => go(gallery.layers[its.layer - 1][its.twin]));
      rows.push(["Twin", [twin, " says nearly the same"]]);
    }
    return h("dl", { class: "sk-facts" }, rows.map(([name, value]) => h("div", {}, [h("dt", {}, name), h("dd", {}, value)])));
  }

  function votesOf(its) {
    const { genres } = gallery.welcome;
    const largest = Math.max(1e-9, ...its.votes.map(Math.abs));
    const items = genres.map((genre, place) => {
      const value = its.votes[place];
      const bar = h("i", { class: value < 0 ? "sk-bar sk-against" : "sk-bar" });
      bar.style.width = `${(50 * Math.abs(value)) / largest}%`;
      bar.style.background = colour(place);
      return h("li", place === its.vote ? { class: "sk-most" } : {}, [
        h("span", {}, [swatchOf(colour(place)), genre]),
        h("span", { class: "sk-track", "aria-hidden": "true" }, bar),
        h("span", { class: "sk-figure" }, signed(value)),
      ]);
    });
    return h("div", {}, [
      h("h4", {}, "Votes: how it moves each genre’s logit"),
      h("ul", { class: "sk-votes" }, items),
    ]);
  }

  function pieceOf(its, { credit, genre, activation, at }, place) {
    const jump = h(
      "button",
      { type: "button", class: "sk-piece", "aria-label": `Play from piece ${place + 1}: ${credit}` },
      [
        h("span", { class: "sk-place", "aria-hidden": "true" }, String(place + 1)),
        h("span", {}, [
          h("span", { class: "sk-credit" }, credit),
          h("span", { class: "sk-more" }, `${[genre, `at ${time(at, 1)}`, `activation ${activation.toFixed(2)}`].filter(Boolean).join(", ")}`),
        ]),
      ],
    );
    on(jump, "click", () => {
      const key = keyOf("found", its);
      gallery.play(key, gallery.starts.get(key)?.[place] ?? 0);
    });
    return { item: h("li", {}, jump) };
  }

  // -- Pictures --
  function canvasOf(its) {
    const canvas = h("canvas", { width: its.of.columns, height: its.of.bands, "aria-hidden": "true" });
    canvas.paint = () => paint(canvas, its);
    canvas.paint();
    return canvas;
  }

  let ink = null; // of the theme: less than usual, as usual, more
  function paint(canvas, { picture, of: { columns, bands } }) {
    if (!ink) {
      const style = getComputedStyle(root);
      const names = ["--sk-less", "--sk-usual", "--sk-more"];
      const scale = names.map((name) => style.getPropertyValue(name).trim().split(/\s+/).map(Number));
      // One colour for each of the 255 values.
      ink = Array.from({ length: 255 }, (_, place) => {
        const value = (place - 127) / 127;
        const end = value < 0 ? scale[0] : scale[2];
        return scale[1].map((usual, c) => usual + Math.abs(value) ** 0.8 * (end[c] - usual));
      });
    }
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(columns, bands);
    for (let x = 0; x < columns; x++) {
      for (let band = 0; band < bands; band++) {
        const at = 4 * ((bands - 1 - band) * columns + x);
        const [red, green, blue] = ink[picture[x * bands + band] + 127];
        pixels.data[at] = red;
        pixels.data[at + 1] = green;
        pixels.data[at + 2] = blue;
        pixels.data[at + 3] = 255;
      }
    }
    context.putImageData(pixels, 0, 0);
  }

  function bigPicture(its) {
    const { hertz } = gallery.welcome;
    const { seconds, columns, bands } = its.of;
    const place = (value) => hertz.findIndex((centre) => centre >= value) / hertz.length;
    const far = (least) => {
      const values = [...its.picture];
      const at = values.indexOf(Math[least ? "min" : "max"](...values));
      const band = Math.floor(((at % bands) + 0.5) * (hertz.length / bands));
      const when = ((Math.floor(at / bands) + 0.5) / columns) * seconds;
      const by = Math.abs((values[at] / 127) * its.decibels).toFixed(0);
      return values[at] === 0 ? "" : `${by} dB ${least ? "less" : "more"} than usual near ${rounded(hertz[band])} hertz, ${when.toFixed(2)} s into it`;
    };
    const said = [far(false), far(true)].filter((text) => text && !text.startsWith("0 dB")).join("; ");
    const line = h("i", { class: "sk-now", hidden: "" });
    const stage = h("div", { class: "sk-stage" }, [canvasOf(its), line]);
    const marks = MARKS.filter((value) => value < hertz.at(-1)).map((value) => {
      const mark = h("span", {}, value.toLocaleString("en"));
      mark.style.bottom = `${100 * place(value)}%`;
      return mark;
    });
    const element = h("figure", { class: "sk-figure-of" }, [
      h("div", { class: "sk-plot", role: "img", "aria-label": `What excites kernel ${its.kernel}: ${said}` }, [
        h("div", { class: "sk-hertz", "aria-hidden": "true" }, marks),
        stage,
        h("div", { class: "sk-seconds", "aria-hidden": "true" }, [
          h("span", {}, "0 s"),
          h("span", {}, "seconds →"),
          h("span", {}, `${seconds.toFixed(2)} s`),
        ]),
        h("div", { class: "sk-axis", "aria-hidden": "true" }, "hertz"),
      ]),
      h("figcaption", {}, said ? `Where it fires: ${said}.` : ""),
    ]);
    return {
      element,
      mark(share) {
        line.hidden = share < 0;
        line.style.left = `${100 * share}%`;
      },
    };
  }

  // -- What changes while it sounds --
  let asked = 0;
  function say() {
    asked = 0;
    const moving = sides.map((one) => one.say()).some(Boolean);
    root.dataset.playing = gallery.audio.paused ? "" : gallery.playing;
    for (const tile of grid.children) {
      const key = keyOf("found", tile.kernel);
      tile.classList.toggle("sk-sounds", gallery.plays(key) && !gallery.waits(key));
    }
    if (moving) invalidate();
  }
  function invalidate() {
    if (!asked && !signal.aborted) asked = requestAnimationFrame(say);
  }

  on(gallery, "changed", (event) => {
    if (event.detail === "welcome") {
      sayWelcome();
      sayPanel();
    }
    // Something is known of a kernel that was not when its side was drawn.
    const news = ({ its, card, error }) => {
      const known = gallery.cardOf(its);
      return known.card !== card || known.error !== error;
    };
    if (sides.some(news)) sayPanel();
    invalidate();
  });
  for (const kind of ["play", "pause", "seeked", "ended", "loadeddata"]) on(gallery.audio, kind, invalidate);
  onTheme(() => {
    ink = null;
    for (const tile of tiles.values()) tile.querySelector("canvas").paint();
    for (const canvas of panel.querySelectorAll("canvas")) canvas.paint();
  }, signal);

  if (gallery.welcome) sayWelcome();
  sayPanel();
  const silent = setTimeout(() => {
    if (gallery.welcome) return;
    about.textContent = "Waiting for Python … Is another cell still running? Without a kernel (make lab) nothing is shown here.";
  }, 4000);
  return () => {
    clearTimeout(silent);
    cancelAnimationFrame(asked);
    end(root);
  };
}

// ---- Small things ------------------------------------------------------------------------------

function tell(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;

const rounded = (hertz) => Number(hertz.toPrecision(2)).toLocaleString("en");

// The shortest beginning of a name, of three letters at least, that no other has.
function short(name, names) {
  let length = 3;
  const same = (other) => other !== name && other.slice(0, length) === name.slice(0, length);
  while (length < name.length && names.some(same)) length++;
  return name.slice(0, length);
}

export default widget(Gallery, draw);
