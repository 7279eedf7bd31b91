// The kernel gallery in the browser: pictures of what excites kernels, and their sounds at a click.
//
// Python sends the pictures and numbers of all kernels at once, further facts about a kernel when
// you choose it, and a sound when you play it (kernels.py lists the messages). Python puts
// common.js before this text.
//
// A `Gallery` holds what Python sent; `draw` makes a view of it, and there may be several views.

// ---- Data --------------------------------------------------------------------------------------

class Gallery extends Sounds {
  constructor(model) {
    super(model);
    this.cards = new Map(); // of the kernels that you chose
    this.wanted = new Set(); // the keys of requested cards
    this.starts = new Map(); // the start times of the excerpts in each sound
    this.layers = []; // lists of kernels
    this.tell("hello");
  }

  // The key of a message's subject: "found/2/17/", "song/2/17/0".
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

  on_sound(content) {
    this.starts.set(this.keyOf(content), content.starts);
    super.on_sound(content);
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

// ---- View --------------------------------------------------------------------------------------

const SOUND_NAMES = { found: "Found", maximised: "Maximised", song: "Filtered song" };
const DOING = {
  found: "Cutting the excerpts out of the songs …",
  maximised:
    "Python is maximising its activation. This takes seconds, or up to a minute on a busy " +
    "machine. You can play other sounds in the meantime.",
  song: "Python is passing the song through the kernel. This takes a few seconds.",
};
const MARKS = [100, 300, 1000, 3000, 10_000]; // hertz written beside a picture

const ORDERS = [
  ["number", "number", (a, b) => a.kernel - b.kernel],
  ["genre", "genre it votes for most", (a, b) => a.vote - b.vote || b.votes[b.vote] - a.votes[a.vote]],
  ["loudness", "loudness (largest activation)", (a, b) => b.largest - a.largest],
  ["activity", "activity (how often it fires)", (a, b) => b.fires - a.fires],
];

function draw(gallery, el) {
  const { signal, number, frames, end } = begin(gallery);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const shelfId = `sk-shelf-${number}`;

  // Without the attribute of this template, JupyterLab would take the keys.
  const root = piece("gallery", { shelfId });
  const { about, tabs, order, filter, status, shelf, grid, legend, panel } = partsOf(root);
  order.append(...ORDERS.map(([value, text]) => option(value, text)));
  root.gallery = gallery; // for tests
  el.append(root);

  let layer = 0; // the index of the layer on show
  let chosen = null;
  let pinned = null; // the kernel beside the chosen one
  let song = 0; // the index of the song for "song"
  let signs = []; // abbreviations of the genres
  let sides = [];
  const tiles = new Map(); // by a kernel's id

  const colour = (genre) => gallery.welcome.colours[genre];
  const keyOf = (what, { layer, kernel }) =>
    gallery.keyOf({ what, layer, kernel, ...(what === "song" ? { song } : {}) });

  // -- Choosing a layer, an order, a genre --
  function sayWelcome() {
    const { network, corpus, clips, genres, layers, dead, twins } = gallery.welcome;
    const count = layers.reduce((sum, { kernels }) => sum + kernels, 0);
    const pairs = `${twins} ${twins === 1 ? "pair is" : "pairs are"} nearly identical (twins).`;
    about.textContent =
      `${network}: ${count} kernels in ${layers.length} layers, over ${clips.toLocaleString("en")} ` +
      `clips of ${corpus}. ${dead === 0 ? "None is" : dead === 1 ? "1 is" : `${dead} are`} dead; ` +
      (twins === 0 ? "no two are nearly identical." : pairs);
    signs = genres.map((genre) => short(genre, genres));
    tabs.replaceChildren(...layers.map(tabOf));
    filter.replaceChildren(
      option("", "any genre"),
      ...genres.map((genre, place) => option(place, genre)),
      option("dead", "none (dead kernels)"),
    );
    const named = genres.map((genre, place) => [...new Set([signs[place], genre])].join(" "));
    legend.innerHTML = "";
    legend.append(
      piece("scale"),
      piece("signs", {
        genres: named.map((name, place) => html`<li>${swatch(colour(place))}${name}</li>`),
      }),
    );
    show(0);
  }

  function tabOf({ name, number: its, kernels, seconds }, place) {
    const tab = piece("tab", {
      shelfId, number, place, its, name, kernels, seconds: seconds.toFixed(2),
    });
    tab.onclick = () => show(place);
    tab.onfocus = () => place === layer || show(place);
    return tab;
  }

  function show(place) {
    layer = place;
    for (const [at, tab] of [...tabs.children].entries()) {
      tab.ariaSelected = String(at === place);
      tab.tabIndex = at === place ? 0 : -1;
    }
    const its = gallery.welcome.layers[place];
    root.dataset.layer = String(its.number);
    shelf.setAttribute("aria-labelledby", tabs.children[place].id);
    grid.ariaLabel = `Kernels of ${its.name}: arrow keys move, Enter plays`;
    shelf.scrollTop = 0;
    lay();
  }

  onArrows(tabs, () => [...tabs.children], () => tabs.children.length);
  order.onchange = filter.onchange = lay;

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
    const first = current() ?? grid.firstElementChild;
    if (first) first.tabIndex = 0;
  }

  const current = () => grid.querySelector('[aria-current="true"]');

  // -- A kernel in the grid --
  const votes = ({ dead, vote }) => {
    if (dead) return "dead: it never fires";
    return vote < 0 ? "votes for no genre" : `votes for ${gallery.welcome.genres[vote]}`;
  };

  function tileOf(its) {
    if (tiles.has(its.id)) return tiles.get(its.id);
    const { kernel, dead, twin, vote } = its;
    const label = [
      `Kernel ${kernel}`,
      votes(its),
      ...(dead ? [] : [`fires ${percent(its.fires)} of the time`]),
      ...(twin === null ? [] : [`twin of kernel ${twin}`]),
    ];
    const tile = piece("tile", {
      kernel, label: label.join(", "), canvas: canvasOf(its), twin: twin === null ? "" : " ≈",
      sign: vote < 0 ? (dead ? "dead" : "none") : signs[vote],
    });
    tile.kernel = its;
    tile.style.setProperty("--sk-genre", vote < 0 ? "var(--sw-line)" : colour(vote));
    tile.classList.toggle("sk-dead", dead);
    tiles.set(its.id, tile);
    return tile;
  }

  grid.onclick = (event) => {
    const tile = event.target.closest(".sk-tile");
    if (!tile) return;
    focusOnly(grid, tile);
    choose(tile.kernel);
  };
  // One stop for the Tab key; the arrow keys move inside.
  onArrows(grid, () => [...grid.children], () => {
    return getComputedStyle(grid).gridTemplateColumns.split(" ").length;
  });
  root.onkeydown = (event) => {
    if (event.key === "Escape" && chosen) {
      gallery.pause();
      focusOnly(grid, current());
      event.preventDefault();
    }
    // Keys meant for the widget must not reach the notebook around it.
    event.stopPropagation();
  };

  // -- The chosen kernel, and the one beside it --
  function choose(its) {
    const again = chosen === its;
    chosen = its;
    root.dataset.open = its.id;
    for (const tile of tiles.values()) tile.removeAttribute("aria-current");
    tiles.get(its.id)?.setAttribute("aria-current", "true");
    if (!again) sayPanel();
    if (its.dead) gallery.pause();
    else gallery.toggle(keyOf("found", its), 0);
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
    panel.replaceChildren(...sides.map(({ element }) => element));
    const hint = !shown.length
      ? "Choose a kernel to play its sound and see its details here."
      : pinned && shown.length === 1
        ? "Now choose another kernel to compare with this one."
        : "";
    if (hint) panel.append(html`<p class="sk-hint">${hint}</p>`);
    panel.classList.toggle("sk-two", shown.length === 2);
    root.classList.toggle("sk-compares", shown.length === 2);
    root.dataset.sides = String(shown.length);
    for (const tile of tiles.values()) tile.classList.toggle("sk-pinned", tile.kernel === pinned);
    sayPlaying();
  }

  function side(its) {
    const { card, error } = gallery.cardOf(its);
    const { kernel, of, dead, vote } = its;
    const id = `sk-side-${number}-${its.layer}-${kernel}`;
    const names = gallery.welcome.sounds.filter((what) => !(dead && what === "found"));
    const players = names.map((what) => {
      const button = piece("sound", { what, name: SOUND_NAMES[what] });
      const key = () => keyOf(what, its);
      const name = `${SOUND_NAMES[what]}, kernel ${kernel} of ${of.name}`;
      return { what, key, button, say: player(gallery, button, key, name) };
    });
    const pieces = (card?.pieces ?? []).map((piece, place) => pieceOf(its, piece, place));
    const found = piece("found", { count: pieces.length, pieces });
    const element = piece("side", {
      id, side: its.id, kernel, layer: of.name, mark: vote < 0 ? "" : swatch(colour(vote)),
      verdict: votes(its), pressed: pinned === its,
      compare: pinned === its ? "Stop comparing" : "Compare",
      buttons: players.map(({ button }) => button),
      songs: names.includes("song") ? songList(its) : "",
      known: dead ? "" : [bigPicture(its), facts(its), votesOf(its)],
      found: pieces.length ? [...found.children] : "",
    });
    const { compare, position, busy, trouble, line } = partsOf(element);
    compare.onclick = () => pin(its);

    // Update what changes during playback.
    function sayIt() {
      for (const one of players) one.say();
      const waits = players.find(({ key }) => gallery.waits(key()));
      say(busy, waits ? DOING[waits.what] : "");
      const troubles = players.map(({ key }) => gallery.errors.get(key()));
      say(trouble, [error, ...troubles].filter(Boolean).join(" "));
      trouble.hidden = !trouble.textContent;

      const playing = players.find(({ key }) => gallery.playing === key());
      const moving = playing && gallery.plays(playing.key());
      const now = playing ? gallery.audio.currentTime : 0;
      const { duration } = gallery.audio;
      position.textContent = playing && duration ? `${clock(now, 1)} / ${clock(duration, 1)}` : "";
      const starts = playing ? (gallery.starts.get(playing.key()) ?? [0]) : [];
      const place = starts.findLastIndex((start) => start <= now + 0.01);
      const sounds = moving && playing.what === "found" ? place : -1;
      for (const [at, piece] of pieces.entries()) {
        if (at === sounds) piece.setAttribute("aria-current", "true");
        else piece.removeAttribute("aria-current");
      }
      if (line) {
        const within = moving && playing.what !== "song" ? (now - starts[place]) / of.seconds : -1;
        line.hidden = still.matches || within < 0 || within > 1;
        line.style.left = `${100 * within}%`;
      }
      return moving;
    }
    return { its, element, say: sayIt, card, error };
  }

  function songList({ kernel, of }) {
    const { songs } = gallery.welcome;
    const options = songs.map(({ name, genre }, place) => option(place, `${name} (${genre})`));
    const list = piece("songs", { kernel, layer: of.name, songs: options });
    list.value = String(song);
    list.onchange = () => {
      song = Number(list.value);
      for (const other of panel.querySelectorAll(".sk-songs")) other.value = list.value;
      for (const credit of panel.querySelectorAll(".sk-players .sk-credit")) {
        credit.textContent = songs[song].credit;
      }
      if (gallery.playing.startsWith("song/")) gallery.pause();
      sayPlaying();
    };
    return [list, html`<p class="sk-credit">${songs[song].credit}</p>`];
  }

  function facts({ layer, fires, largest, genre, beats, twin }) {
    const rows = [
      ["Fires", `${(100 * fires).toFixed(1)} % of the time`],
      ["Largest activation", largest === null ? "–" : largest.toFixed(2)],
      ["Most active in", genre ?? "–"],
    ];
    if (beats !== null) rows.push(["Strongest tempo", `${Math.round(beats)} beats per minute`]);
    if (twin !== null) {
      const link = html`<button type="button" class="sk-link">kernel ${twin}</button>`;
      link.onclick = () => go(gallery.layers[layer - 1][twin]);
      rows.push(["Twin", [link, " is nearly identical"]]);
    }
    const items = rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`);
    return html`<dl class="sk-facts">${items}</dl>`;
  }

  function votesOf(its) {
    const largest = Math.max(1e-9, ...its.votes.map(Math.abs));
    const items = gallery.welcome.genres.map((genre, place) => {
      const value = its.votes[place];
      const width = (50 * Math.abs(value)) / largest;
      return piece("vote", {
        kind: place === its.vote ? "sk-most" : "", mark: swatch(colour(place)), genre,
        side: value < 0 ? "sk-against" : "", width, colour: colour(place), figure: signed(value),
      });
    });
    return piece("votes", { items });
  }

  function pieceOf(its, { credit, genre, activation, at }, place) {
    const more = [genre, `at ${clock(at, 1)}`, `activation ${activation.toFixed(2)}`];
    const item = piece("piece", {
      number: place + 1, credit, facts: more.filter(Boolean).join(", "),
    });
    item.firstElementChild.onclick = () => {
      const key = keyOf("found", its);
      gallery.play(key, gallery.starts.get(key)?.[place] ?? 0);
    };
    return item;
  }

  // -- Pictures --
  function canvasOf(its) {
    const { columns, bands } = its.of;
    const canvas = html`<canvas width="${columns}" height="${bands}" aria-hidden="true"></canvas>`;
    const context = canvas.getContext("2d");
    canvas.paint = () => {
      ink ??= inks(getComputedStyle(root));
      const picture = pictureOf(its.of, its.picture, (value) => ink[value + 127]);
      context.putImageData(picture, 0, 0);
    };
    canvas.paint();
    return canvas;
  }

  let ink = null; // of the theme, for each value of a picture

  function bigPicture(its) {
    const { hertz } = gallery.welcome;
    const { seconds, columns, bands } = its.of;
    const values = [...its.picture];
    const far = (value, which) => {
      const at = values.indexOf(value);
      const band = Math.floor(((at % bands) + 0.5) * (hertz.length / bands));
      const when = ((Math.floor(at / bands) + 0.5) / columns) * seconds;
      const by = Math.abs((value / 127) * its.decibels).toFixed(0);
      if (by === "0") return "";
      const near = Number(hertz[band].toPrecision(2)).toLocaleString("en");
      return `${by} dB ${which} than average near ${near} hertz, ${when.toFixed(2)} s into it`;
    };
    const extremes = [far(Math.max(...values), "more"), far(Math.min(...values), "less")];
    const said = extremes.filter(Boolean).join("; ");
    const marks = MARKS.filter((value) => value < hertz.at(-1)).map((value) => {
      const place = hertz.findIndex((centre) => centre >= value) / hertz.length;
      return html`<span style="bottom: ${100 * place}%">${value.toLocaleString("en")}</span>`;
    });
    return piece("figure", {
      kernel: its.kernel, said, marks, canvas: canvasOf(its), seconds: seconds.toFixed(2),
      caption: said ? `When it fires: ${said}.` : "",
    });
  }

  // -- What changes during playback --
  function sayPlaying() {
    const moving = sides.map((one) => one.say()).some(Boolean);
    root.dataset.playing = gallery.audio.paused ? "" : gallery.playing;
    for (const tile of grid.children) {
      const key = keyOf("found", tile.kernel);
      tile.classList.toggle("sk-sounds", gallery.plays(key) && !gallery.waits(key));
    }
    if (moving) invalidate();
  }
  const invalidate = frames(sayPlaying);

  // Has something about a kernel arrived since its panel was drawn?
  const isNew = ({ its, card, error }) => {
    const known = gallery.cardOf(its);
    return known.card !== card || known.error !== error;
  };
  gallery.addEventListener("changed", ({ detail }) => {
    if (detail === "welcome") sayWelcome();
    if (detail === "welcome" || sides.some(isNew)) sayPanel();
    invalidate();
  }, { signal });
  onTheme(() => {
    ink = null;
    for (const canvas of [...tiles.values(), panel].flatMap((one) => [...one.querySelectorAll("canvas")])) {
      canvas.paint();
    }
  }, signal);

  if (gallery.welcome) sayWelcome();
  sayPanel();
  return () => end(root);
}

// ---- Small things ------------------------------------------------------------------------------

// The red, green, blue and opacity of each of the 255 values.
function inks(style) {
  const names = ["--sk-less", "--sk-usual", "--sk-more"];
  const scale = names.map((name) => style.getPropertyValue(name).trim().split(/\s+/).map(Number));
  const [less, usual, more] = scale;
  return Array.from({ length: 255 }, (_, place) => {
    const value = (place - 127) / 127;
    const end = value < 0 ? less : more;
    return [...usual.map((from, c) => from + Math.abs(value) ** 0.8 * (end[c] - from)), 255];
  });
}

const signed = (value) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(3)}`;

// The shortest prefix of a name, of three letters or more, that no other name has.
function short(name, names) {
  let length = 3;
  const same = (other) => other !== name && other.slice(0, length) === name.slice(0, length);
  while (length < name.length && names.some(same)) length++;
  return name.slice(0, length);
}

export default widget(Gallery, draw);
