// Error cards in the browser: choose mistakes, open one, see and hear what decided it.
//
// Python sends the list of the cards at once, a card when it is opened and a sound when it is
// played (cards.py says which messages there are). Nothing is fetched from anywhere. common.js
// stands before this text.
//
// A `Gallery` is what one kernel tells; `draw` makes a picture of it, of which there may be several.

const MOST_LISTED = 60; // cards in the list before one asks for more
const HEIGHTS = { mel: 104, shares: 46, genres: 104, gap: 18 }; // of the pictures, CSS pixels

// ---- What is known -----------------------------------------------------------------------------

class Gallery extends Sounds {
  constructor(model) {
    super(model);
    this.cards = new Map(); // opened ones, by clip
    this.tell("hello");
  }

  // A sound, and an error, is that of a clip.
  keyOf({ clip }) {
    return clip;
  }

  ask(clip) {
    this.tell("sound", { clip });
  }

  on_card(content, buffers) {
    const [mel, steps, spans, shares] = buffers;
    this.cards.set(content.clip, {
      ...content,
      mel: bytesOf(mel).slice(),
      steps: new Float32Array(aligned(steps)),
      spans: new Float64Array(aligned(spans)),
      shares: new Float32Array(aligned(shares)),
    });
  }

  open(clip) {
    if (!this.cards.has(clip)) this.tell("card", { clip });
  }
}

// ---- The picture of it -------------------------------------------------------------------------

function draw(gallery, el) {
  const { signal, number, on, end } = begin(gallery);

  const truths = h("select", { id: `sc-truth-${number}` });
  const answers = h("select", { id: `sc-answer-${number}` });
  const status = h("p", { class: "sc-status", role: "status" }, "Waiting for Python …");
  const matrix = h("div", { class: "sc-matrix" });
  const list = h("ol", { class: "sc-list", "aria-label": "Error cards" });
  const more = h("button", { type: "button", class: "sw-button", hidden: "" }, "Show more");
  const root = h(
    "div",
    {
      ...{ class: "sw-widget sc-cards", role: "group", "aria-label": "Error cards" },
      "data-lm-suppress-shortcuts": "true", // or JupyterLab takes the keys
    },
    [
      h("div", { class: "sc-top" }, [
        matrix,
        h("div", { class: "sc-choice" }, [
          h("label", { for: truths.id }, ["In truth", truths]),
          h("label", { for: answers.id }, ["Taken for", answers]),
          status,
          h("p", { class: "sc-help" }, "Choose a cell of the matrix or in the two lists, then open a card."),
        ]),
      ]),
      list,
      more,
    ],
  );
  root.gallery = gallery; // for tests
  el.append(root);

  let listed = MOST_LISTED;
  let open = ""; // the clip whose card is open
  let painter = null; // of the open card
  const buttons = new Map(); // play buttons, by clip: a clip may be on the page twice
  const colour = (genre) => gallery.welcome.colours[gallery.welcome.genres.indexOf(genre)];

  // -- Choosing --
  function sayWelcome() {
    const { genres, counts, begin } = gallery.welcome;
    truths.replaceChildren(option("", "any genre"), ...genres.map((genre) => option(genre, genre)));
    answers.replaceChildren(
      option("wrong", "anything wrong"),
      option("", "anything, right or wrong"),
      ...genres.map((genre) => option(genre, genre)),
    );
    truths.value = begin.truth ?? "";
    answers.value = begin.answer ?? (begin.only_wrong ? "wrong" : "");
    const most = Math.max(1, ...counts.flat());
    const head = h("tr", {}, [
      h("td", {}),
      ...genres.map((genre) => h("th", { scope: "col" }, h("span", {}, genre))),
    ]);
    const rows = genres.map((truth, row) =>
      h("tr", {}, [
        h("th", { scope: "row" }, [swatch(truth), truth]),
        ...genres.map((answer, column) => h("td", {}, cell(truth, answer, counts[row][column], most))),
      ]),
    );
    const caption = h("caption", {}, "Truth in rows, answers in columns");
    matrix.replaceChildren(h("table", { class: "sw-table" }, [caption, h("thead", {}, head), h("tbody", {}, rows)]));
    matrix.querySelector("button").tabIndex = 0;
    choose();
  }

  function cell(truth, answer, count, most) {
    const button = h("button", {
      ...{ type: "button", tabindex: "-1", "data-truth": truth, "data-answer": answer },
      "aria-label": `${truth} taken for ${answer}: ${count} clip${count === 1 ? "" : "s"}`,
      "aria-pressed": "false",
    }, count ? String(count) : "·");
    // As in the picture of the matrix: the more clips, the bluer.
    const share = count / most;
    button.style.background = `color-mix(in srgb, #08519c ${Math.round(90 * share)}%, transparent)`;
    if (share > 0.45) button.style.color = "#ffffff";
    if (truth === answer) button.classList.add("sc-right");
    on(button, "click", () => {
      const chosen = truths.value === truth && answers.value === answer;
      truths.value = chosen ? "" : truth;
      answers.value = chosen ? "wrong" : answer;
      choose();
    });
    return button;
  }

  // One stop for the Tab key; the arrow keys move inside.
  on(matrix, "keydown", (event) => {
    const cells = [...matrix.querySelectorAll("button")];
    const next = moved(event.key, cells.indexOf(event.target), gallery.welcome?.genres.length);
    if (next === null) return;
    event.preventDefault();
    focusOnly(matrix, cells[next]);
  });
  on(matrix, "click", (event) => {
    focusOnly(matrix, event.target.closest("button"));
  });

  on(truths, "change", choose);
  on(answers, "change", choose);
  on(more, "click", () => {
    const first = list.children.length;
    listed += MOST_LISTED;
    sayList();
    list.children[first]?.querySelector("button").focus();
  });

  function chosen() {
    return gallery.welcome.cards.filter(
      ({ truth, answer }) =>
        (!truths.value || truth === truths.value) &&
        (!answers.value || (answers.value === "wrong" ? answer !== truth : answer === answers.value)),
    );
  }

  function choose() {
    listed = MOST_LISTED;
    if (!chosen().some(({ clip }) => clip === open)) close();
    for (const button of matrix.querySelectorAll("button")) {
      const { truth, answer } = button.dataset;
      button.setAttribute("aria-pressed", String(truth === truths.value && answer === answers.value));
    }
    sayList();
  }

  function sayList() {
    const found = chosen();
    const shown = found.slice(0, listed);
    list.replaceChildren(...shown.map(item));
    more.hidden = found.length <= listed;
    status.textContent = `${found.length} of ${gallery.welcome.cards.length} clips`;
    root.dataset.shown = String(found.length);
    if (open) sayCard();
  }

  // -- A card: a line, and what unfolds below it --
  function item(card) {
    const body = `sc-card-${number}-${card.clip}`;
    const line = h(
      "button",
      {
        ...{ type: "button", class: "sc-line", "data-clip": card.clip },
        ...{ "aria-expanded": String(open === card.clip), "aria-controls": body },
      },
      [
        h("span", { class: "sc-verdict" }, [
          swatch(card.truth), card.truth,
          h("span", { class: "sw-hidden" }, " taken for "),
          h("span", { class: "sc-arrow", "aria-hidden": "true" }, "→"),
          swatch(card.answer), h("b", {}, card.answer),
        ]),
        h("span", { class: "sc-title" }, `${card.title} – ${card.artist}`),
        h("span", { class: "sc-share" }, percent(card.confidence)),
      ],
    );
    on(line, "click", () => toggle(card.clip));
    return h("li", { "data-clip": card.clip }, [line, h("div", { id: body, class: "sc-body", hidden: "" })]);
  }

  on(list, "keydown", (event) => {
    if (event.key === "Escape" && open) {
      event.preventDefault();
      event.stopPropagation();
      const line = lineOf(open);
      close();
      line?.focus();
      return;
    }
    if (!event.target.classList.contains("sc-line")) return;
    const lines = [...list.querySelectorAll(".sc-line")];
    const here = lines.indexOf(event.target);
    const next = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: lines.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    lines[next]?.focus();
  });

  const itemOf = (clip) => [...list.children].find((li) => li.dataset.clip === clip);
  const lineOf = (clip) => itemOf(clip)?.querySelector(".sc-line");

  function toggle(clip) {
    const again = clip === open;
    close();
    if (again) return;
    open = clip;
    root.dataset.open = clip;
    gallery.open(clip);
    sayCard();
  }

  function close() {
    if (!open) return;
    const li = itemOf(open);
    li?.querySelector(".sc-line").setAttribute("aria-expanded", "false");
    const body = li?.querySelector(".sc-body");
    if (body) {
      body.hidden = true;
      body.replaceChildren();
    }
    gallery.pause();
    painter?.end();
    painter = null;
    buttons.clear();
    open = "";
    delete root.dataset.open;
    delete root.dataset.drawn;
  }

  function sayCard() {
    const li = itemOf(open);
    if (!li) return;
    const about = gallery.welcome.cards.find(({ clip }) => clip === open);
    const card = gallery.cards.get(open);
    li.querySelector(".sc-line").setAttribute("aria-expanded", "true");
    const body = li.querySelector(".sc-body");
    body.hidden = false;
    painter?.end();
    painter = null;
    buttons.clear();
    if (!card) {
      const error = gallery.errors.get(open);
      body.replaceChildren(h("p", error ? { role: "alert" } : {}, error ?? "Fetching the card …"));
      return;
    }
    painter = picture(about, card);
    const jump = h("button", { type: "button", class: "sw-button" }, "Hear the step that decided most");
    const top = card.shares.indexOf(Math.max(...card.shares));
    on(jump, "click", () => gallery.play(open, Math.max(0, card.spans[2 * top]), card.spans[2 * top + 1]));
    body.replaceChildren(
      h("div", { class: "sc-transport" }, [
        playButton(about, "sw-play sc-play"),
        jump,
        h("span", { class: "sc-clock", "aria-hidden": "true" }),
      ]),
      h("p", { class: "sw-error", role: "alert", hidden: "" }),
      painter.element,
      h("p", { class: "sc-why" }, why(about, card)),
      means(about, card),
      neighbours(card),
      ...(about.note ? [h("p", { class: "sc-note" }, about.note)] : []),
      h("p", { class: "sc-credit" }, [
        about.credit,
        about.labels.length ? `. The corpus labels it: ${about.labels.join(", ")}.` : ".",
      ]),
    );
    sayPlaying();
    painter.invalidate();
  }

  function why(about, card) {
    const { deciding, rival } = card;
    const steps = card.shares.length;
    const ahead = `${about.answer} is ahead of ${rival} by ${Math.round(card.difference * 100)} points`;
    if (!deciding.length) return `${ahead}.`;
    if (deciding.length === steps) return `${ahead}: every one of its ${steps} steps (▼) speaks for it.`;
    const decided =
      deciding.length === 1
        ? "Without a single one of its steps"
        : `Without the ${deciding.length} steps that count most`;
    return `${ahead}. ${decided}, of ${steps}, ${rival} would have been at least level with it: they are marked ▼.`;
  }

  // The answers for the whole clip: as numbers, for those who cannot see the picture.
  function means(about, card) {
    const { genres } = gallery.welcome;
    const steps = card.shares.length;
    const mean = genres.map((_, g) => {
      let sum = 0;
      for (let k = 0; k < steps; k++) sum += card.steps[k * genres.length + g];
      return sum / steps;
    });
    const order = genres.map((_, g) => g).sort((a, b) => mean[b] - mean[a]);
    return h(
      "ul",
      { class: "sc-means", "aria-label": "The whole clip's probabilities" },
      order.map((g) =>
        h("li", genres[g] === about.truth ? { class: "sc-true" } : {}, [
          swatch(genres[g]),
          `${genres[g]} ${percent(mean[g])}${genres[g] === about.truth ? " (truth)" : ""}`,
        ]),
      ),
    );
  }

  function neighbours(card) {
    const items = card.neighbours.map((near) =>
      h("li", {}, [
        playButton(near, "sw-play sc-play sc-small"),
        h("span", { class: "sc-near" }, [
          h("span", {}, [swatch(near.genre), h("b", {}, near.genre), ` ${near.title} – ${near.artist}`]),
          h("span", { class: "sc-credit" }, `distance ${near.distance.toFixed(3)} · ${near.credit}`),
        ]),
      ]),
    );
    return h("div", {}, [
      h("h4", {}, "The nearest training clips, to the network"),
      h("ol", { class: "sc-nearest" }, items),
    ]);
  }

  function playButton(about, kind) {
    const button = h("button", { type: "button", class: kind });
    on(button, "click", () => (gallery.plays(about.clip) ? gallery.pause() : gallery.play(about.clip)));
    buttons.set(button, about);
    return button;
  }

  function sayPlaying() {
    for (const [button, about] of buttons) {
      const plays = gallery.plays(about.clip);
      if (button.dataset.plays !== String(plays)) {
        button.dataset.plays = String(plays);
        button.innerHTML = plays ? ICON.pause : ICON.play;
        button.setAttribute("aria-label", `${plays ? "Pause" : "Play"} “${about.title}” by ${about.artist}`);
      }
      button.classList.toggle("sw-waits", gallery.waits(about.clip));
    }
    root.dataset.playing = gallery.audio.paused ? "" : gallery.playing;
    const error = root.querySelector(".sw-error");
    if (error) {
      const text = [...buttons.values()].map(({ clip }) => gallery.errors.get(clip)).find(Boolean) ?? "";
      if (error.textContent !== text) error.textContent = text;
      error.hidden = !text;
    }
  }

  // -- The pictures of a card, all on one axis of time --
  function picture(about, card) {
    const { mel, shares, genres: high, gap } = HEIGHTS;
    const total = mel + shares + high + 2 * gap;
    const { genres, colours } = gallery.welcome;
    const count = card.shares.length;
    const seconds = card.columns * card.frame_seconds;
    const deciding = new Set(card.deciding);
    const canvas = h("canvas", { "aria-hidden": "true" });
    const caption = (text, top) =>
      h("span", { class: "sc-caption", "aria-hidden": "true", style: `top: ${top}px` }, text);
    const stage = h(
      "div",
      {
        ...{ class: "sc-stage", role: "slider", tabindex: "0", style: `height: ${total}px` },
        ...{ "aria-label": `Position in “${about.title}”`, "aria-valuemin": "0", "aria-valuenow": "0" },
        "aria-valuemax": seconds.toFixed(1),
      },
      [
        canvas,
        caption("log-mel", 4),
        caption(`each step: for ${about.answer} ↑, for ${card.rival} ↓`, mel + gap - 14),
        caption("genre over time", total - high - 14),
      ],
    );
    const element = h("div", {}, stage);
    let bitmap = null;
    let asked = 0;
    let ended = false;

    const stepAt = (now) => {
      let k = -1;
      while (k + 1 < count && card.spans[2 * (k + 1) + 1] <= now) k++;
      return k;
    };

    function paint() {
      asked = 0;
      if (ended || !stage.clientWidth) return;
      const ratio = devicePixelRatio || 1;
      const width = Math.round(stage.clientWidth * ratio);
      const height = Math.round(total * ratio);
      if (canvas.width !== width || canvas.height !== height) {
        canvas.width = width;
        canvas.height = height;
      }
      const style = getComputedStyle(root);
      const ink = (name) => style.getPropertyValue(name).trim();
      const context = canvas.getContext("2d");
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, width, height);
      const x = (s) => (s / seconds) * width;
      const y = (pixels) => Math.round(pixels * ratio);

      bitmap ??= melBitmap(card, ink("--sw-sound").split(/\s+/).map(Number));
      context.drawImage(bitmap, 0, 0, width, y(mel));

      // Step k stands from the moment it is decided until the next one is.
      const span = (k) => {
        const from = card.spans[2 * k + 1];
        return [x(from), x(from + card.step_seconds)];
      };
      const middle = mel + gap + shares / 2;
      const largest = Math.max(1e-9, ...card.shares.map(Math.abs));
      const first = colour(about.answer);
      const second = colour(card.rival);
      const base = total - high;
      for (let k = 0; k < count; k++) {
        const [left, right] = span(k);
        const wide = Math.max(1, right - left - ratio);
        const tall = (card.shares[k] / largest) * (shares / 2 - 7);
        context.fillStyle = tall > 0 ? first : second;
        context.fillRect(left, y(middle - Math.max(0, tall)), wide, Math.max(1, y(Math.abs(tall))));
        if (deciding.has(k)) {
          context.fillStyle = ink("--sw-text");
          const centre = (left + right) / 2;
          const top = y(mel + gap);
          context.beginPath();
          context.moveTo(centre - 3 * ratio, top);
          context.lineTo(centre + 3 * ratio, top);
          context.lineTo(centre, top + 5 * ratio);
          context.fill();
        }
        let sum = 0;
        let at = y(base);
        for (let g = 0; g < genres.length; g++) {
          sum += card.steps[k * genres.length + g];
          const next = Math.round((base + high * Math.min(1, sum)) * ratio);
          context.fillStyle = colours[g];
          context.fillRect(Math.round(left), at, Math.round(right) - Math.round(left), next - at);
          at = next;
        }
      }
      context.fillStyle = ink("--sw-faint");
      context.fillRect(0, y(middle), width, Math.max(1, Math.round(ratio / 2)));
      context.font = `${11 * ratio}px ${style.fontFamily}`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      for (let s = 5; s < seconds - 1; s += 5) context.fillText(time(s), x(s), y(mel + gap / 2));
      const now = gallery.at(about.clip);
      context.fillStyle = ink("--sw-text");
      context.fillRect(x(now) - ratio, 0, Math.max(2, Math.round(2 * ratio)), height);

      const clock = root.querySelector(".sc-clock");
      if (clock) clock.textContent = `${time(now, 1)} / ${time(seconds, 1)}`;
      const k = stepAt(now);
      const answer = k < 0 ? "listening" : heardAt(k);
      stage.setAttribute("aria-valuenow", now.toFixed(1));
      stage.setAttribute("aria-valuetext", `${now.toFixed(1)} of ${seconds.toFixed(1)} seconds, ${answer}`);
      root.dataset.drawn = about.clip;
      root.dataset.now = String(now);
      if (gallery.plays(about.clip)) invalidate();
    }

    function heardAt(k) {
      const row = card.steps.subarray(k * genres.length, (k + 1) * genres.length);
      const best = row.indexOf(Math.max(...row));
      return `${genres[best]} ${percent(row[best])}${deciding.has(k) ? ", one of the steps that decided" : ""}`;
    }

    function invalidate() {
      if (!asked && !ended) asked = requestAnimationFrame(paint);
    }

    on(stage, "pointerdown", (event) => {
      const box = stage.getBoundingClientRect();
      gallery.play(about.clip, ((event.clientX - box.left) / box.width) * seconds);
    });
    on(stage, "keydown", (event) => {
      const now = gallery.at(about.clip);
      const moves = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: seconds - 1 };
      if (event.key === " ") {
        if (gallery.plays(about.clip)) gallery.pause();
        else gallery.play(about.clip);
      } else if (event.key in moves) {
        gallery.seek(about.clip, Math.min(Math.max(0, moves[event.key]), seconds));
      } else return;
      event.preventDefault();
      event.stopPropagation();
    });
    const sizes = new ResizeObserver(invalidate);
    sizes.observe(stage);
    return {
      element,
      invalidate,
      retint() {
        bitmap = null;
        invalidate();
      },
      end() {
        ended = true;
        sizes.disconnect();
        cancelAnimationFrame(asked);
      },
    };
  }

  const swatch = (genre) => swatchOf(colour(genre));

  on(gallery, "changed", (event) => {
    if (event.detail === "welcome") sayWelcome();
    if ((event.detail === "card" || event.detail === "error") && open && !painter) sayCard();
    sayPlaying();
    painter?.invalidate();
  });
  for (const kind of ["play", "pause", "seeked", "ended", "loadeddata"]) {
    on(gallery.audio, kind, () => {
      sayPlaying();
      painter?.invalidate();
    });
  }
  onTheme(() => painter?.retint(), signal);

  if (gallery.welcome) sayWelcome();
  return () => {
    painter?.end();
    end(root);
  };
}

// ---- Small things ------------------------------------------------------------------------------

function melBitmap(card, [red, green, blue]) {
  const { columns, bands, mel } = card;
  const bitmap = new OffscreenCanvas(columns, bands);
  const pixels = new ImageData(columns, bands);
  for (let x = 0; x < columns; x++) {
    for (let band = 0; band < bands; band++) {
      const at = 4 * ((bands - 1 - band) * columns + x);
      pixels.data[at] = red;
      pixels.data[at + 1] = green;
      pixels.data[at + 2] = blue;
      pixels.data[at + 3] = 255 * (mel[x * bands + band] / 255) ** 1.6;
    }
  }
  bitmap.getContext("2d").putImageData(pixels, 0, 0);
  return bitmap;
}

export default widget(Gallery, draw);
