// Error cards in the browser: choose errors, open one, see and hear what decided it.
//
// Python sends the list of cards at once, a card when you open it and a sound when you play it
// (cards.py lists the messages). The widget fetches nothing from elsewhere. Python puts common.js
// before this text.
//
// A `Gallery` holds what Python sent; `draw` makes a view of it, and there may be several views.

const MOST_LISTED = 60; // cards in the list before you ask for more
const HEIGHTS = { mel: 104, shares: 46, genres: 104, gap: 18 }; // of the pictures, CSS pixels

// ---- Data --------------------------------------------------------------------------------------

class Gallery extends Sounds {
  constructor(model) {
    super(model);
    this.cards = new Map(); // the opened cards, by clip
    this.tell("hello");
  }

  // The key of a sound or of an error is its clip.
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

// ---- View --------------------------------------------------------------------------------------

function draw(gallery, el) {
  const { signal, number, frames, end } = begin(gallery);
  // Without the attribute of this template, JupyterLab would take the keys.
  const root = piece("cards");
  const { matrix, truths, answers, status, list, more } = partsOf(root);
  root.gallery = gallery; // for tests
  el.append(root);

  let listed = MOST_LISTED;
  let open = ""; // the clip whose card is open
  let paint = null; // draws the pictures of the open card
  let bitmap = null; // its log-mel
  let players = []; // of the open card: its clip and what is near it
  const invalidate = frames(() => paint?.());
  const colour = (genre) => gallery.welcome.colours[gallery.welcome.genres.indexOf(genre)];
  const swatchOf = (genre) => swatch(colour(genre));

  // -- Choosing --
  function sayWelcome() {
    const { genres, counts } = gallery.welcome;
    const each = genres.map((genre) => [genre, genre]);
    const options = (all) => all.map(([value, text]) => option(value, text));
    truths.replaceChildren(...options([["", "any genre"], ...each]));
    answers.replaceChildren(
      ...options([["wrong", "any wrong genre"], ["", "any genre, right or wrong"], ...each]),
    );
    answers.value = "wrong";
    const most = Math.max(1, ...counts.flat());
    const cellOf = (row, column) => {
      const count = counts[row][column];
      return {
        count: count || "·",
        name: `${genres[row]} taken for ${genres[column]}: ${count} clip${count === 1 ? "" : "s"}`,
        share: count / most,
      };
    };
    const pressed = (row, column) => {
      const chosen = truths.value === genres[row] && answers.value === genres[column];
      truths.value = chosen ? "" : genres[row];
      answers.value = chosen ? "wrong" : genres[column];
      choose();
    };
    const caption = "Rows: true genre; columns: prediction";
    const head = (genre) => [swatchOf(genre), genre];
    matrix.replaceChildren(numberTable(caption, genres, cellOf, pressed, head));
    for (const [at, cell] of matrix.querySelectorAll("button").entries()) {
      cell.dataset.truth = genres[Math.floor(at / genres.length)];
      cell.dataset.answer = genres[at % genres.length];
      const { truth, answer } = cell.dataset;
      cell.classList.toggle("sc-right", truth === answer);
      const has = (card) => card.truth === truth && card.answer === answer;
      cell.classList.toggle("sc-none", !gallery.welcome.cards.some(has));
    }
    choose();
  }

  truths.onchange = answers.onchange = choose;
  more.onclick = () => {
    const first = list.children.length;
    listed += MOST_LISTED;
    sayList();
    list.children[first]?.querySelector("button").focus();
  };

  const chosen = () =>
    gallery.welcome.cards.filter(
      ({ truth, answer }) =>
        (!truths.value || truth === truths.value) &&
        (!answers.value || answer === answers.value || (answers.value === "wrong" && answer !== truth)),
    );

  function choose() {
    listed = MOST_LISTED;
    if (!chosen().some(({ clip }) => clip === open)) close();
    for (const cell of matrix.querySelectorAll("button")) {
      const { truth, answer } = cell.dataset;
      cell.ariaPressed = String(truth === truths.value && answer === answers.value);
    }
    sayList();
  }

  function sayList() {
    const found = chosen();
    list.replaceChildren(...found.slice(0, listed).map(item));
    more.hidden = found.length <= listed;
    status.textContent = `${found.length} of ${gallery.welcome.cards.length} clips`;
    root.dataset.shown = String(found.length);
    if (open) sayCard();
  }

  // -- A card: a line, and a body that unfolds below it --
  function item({ clip, truth, answer, title, artist, confidence }) {
    const body = `sc-card-${number}-${clip}`;
    const li = piece("item", {
      clip, expanded: open === clip, body, truthMark: swatchOf(truth), truth,
      answerMark: swatchOf(answer), answer, title, artist, share: percent(confidence),
    });
    li.firstElementChild.onclick = () => toggle(clip);
    return li;
  }

  list.onkeydown = (event) => {
    if (event.key === "Escape" && open) {
      event.preventDefault();
      event.stopPropagation();
      const [line] = openItem();
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
  };

  // The line and the body of the card that is open, where it is in the list.
  const openItem = () => [...list.children].find((li) => li.dataset.clip === open)?.children ?? [];

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
    const [line, body] = openItem();
    if (line) {
      line.ariaExpanded = "false";
      body.hidden = true;
      body.replaceChildren();
    }
    gallery.pause();
    paint = null;
    players = [];
    open = "";
    delete root.dataset.open;
    delete root.dataset.drawn;
  }

  function sayCard() {
    const [line, body] = openItem();
    if (!line) return;
    const about = gallery.welcome.cards.find(({ clip }) => clip === open);
    const card = gallery.cards.get(open);
    line.ariaExpanded = "true";
    body.hidden = false;
    paint = bitmap = null;
    players = [];
    if (!card) {
      const error = gallery.errors.get(open);
      body.replaceChildren(
        error ? html`<p role="alert">${error}</p>` : html`<p>Loading the card …</p>`,
      );
      return;
    }
    const labels = about.labels.length ? ` The corpus labels it: ${about.labels.join(", ")}.` : "";
    const unfolded = piece("card", {
      play: playButton(about, ""), reason: why(about, card), meansList: means(about, card),
      nearest: card.neighbours.map(neighbour), credit: about.credit, labels,
    });
    const { jump, position, pictures } = partsOf(unfolded);
    const top = card.shares.indexOf(Math.max(...card.shares));
    jump.onclick = () =>
      gallery.play(about.clip, Math.max(0, card.spans[2 * top]), card.spans[2 * top + 1]);
    paint = picture(about, card, pictures, position);
    body.replaceChildren(...unfolded.children);
    sayPlaying();
    invalidate();
  }

  function why({ answer }, { deciding, rival, difference, shares }) {
    const steps = shares.length;
    const ahead = `${answer} leads ${rival} by ${Math.round(difference * 100)} points`;
    if (!deciding.length) return `${ahead}.`;
    if (deciding.length === steps) return `${ahead}. To change that, you would have to take away all ${steps} steps (▼).`;
    const decided =
      deciding.length === 1
        ? "Without the most decisive step"
        : `Without the ${deciding.length} most decisive steps`;
    return `${ahead}. ${decided} (▼) of ${steps}, ${answer} would no longer lead.`;
  }

  // The probabilities for the whole clip, as numbers for readers who cannot see the picture.
  function means({ truth }, card) {
    const { genres } = gallery.welcome;
    const all = genres.map((genre, g) => {
      const steps = card.steps.filter((_, at) => at % genres.length === g);
      return { genre, mean: steps.reduce((sum, share) => sum + share, 0) / steps.length };
    });
    all.sort((a, b) => b.mean - a.mean);
    const items = all.map(({ genre, mean }) => {
      const isTrue = { kind: "sc-true", truth: " (truth)" };
      const about = { genre, mark: swatchOf(genre), share: percent(mean) };
      return piece("mean", { ...about, ...(genre === truth && isTrue) });
    });
    return html`<ul class="sc-means" aria-label="Probabilities for the whole clip">${items}</ul>`;
  }

  function neighbour(near) {
    return piece("neighbour", {
      play: playButton(near, "sc-small"), mark: swatchOf(near.genre), genre: near.genre,
      title: near.title, artist: near.artist, distance: near.distance.toFixed(3),
      credit: near.credit,
    });
  }

  function playButton({ clip, title, artist }, kind) {
    const button = html`<button type="button" class="sw-play sc-play ${kind}"></button>`;
    players.push({ clip, say: player(gallery, button, () => clip, `“${title}” by ${artist}`) });
    return button;
  }

  function sayPlaying() {
    for (const one of players) one.say();
    root.dataset.playing = gallery.audio.paused ? "" : gallery.playing;
    const error = root.querySelector(".sw-error");
    if (!error) return;
    say(error, players.map(({ clip }) => gallery.errors.get(clip)).find(Boolean) ?? "");
    error.hidden = !error.textContent;
  }

  // -- The pictures of a card, which share one time axis --
  function picture({ clip, title, answer }, card, place, position) {
    const { mel, shares, genres: high, gap } = HEIGHTS;
    const total = mel + shares + high + 2 * gap;
    const { genres, colours } = gallery.welcome;
    const count = card.shares.length;
    const seconds = card.columns * card.frame_seconds;
    const deciding = new Set(card.deciding);
    const caption = (text, top) =>
      html`<span class="sc-caption" aria-hidden="true" style="top: ${top}px">${text}</span>`;
    const stage = piece("pictures", {
      total, title, end: seconds.toFixed(1), melCaption: caption("log-mel", 4),
      stepCaption: caption(`each step supports ${answer} ↑ or ${card.rival} ↓`, mel + gap - 14),
      genreCaption: caption("genre over time", total - high - 14),
    });
    place.append(stage);
    const canvas = stage.querySelector("canvas");
    const context = canvas.getContext("2d");

    stage.onpointerdown = (event) => {
      const box = stage.getBoundingClientRect();
      gallery.play(clip, ((event.clientX - box.left) / box.width) * seconds);
    };
    stage.onkeydown = (event) => {
      const now = gallery.at(clip);
      const moves = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: seconds - 1 };
      if (event.key === " ") gallery.toggle(clip);
      else if (event.key in moves) {
        gallery.seek(clip, Math.min(Math.max(0, moves[event.key]), seconds));
      } else return;
      event.preventDefault();
      event.stopPropagation();
    };

    function sayNow(now) {
      position.textContent = `${clock(now, 1)} / ${clock(seconds, 1)}`;
      // The latest step that has ended.
      const k = card.shares.findLastIndex((_, step) => card.spans[2 * step + 1] <= now);
      const answer = k < 0 ? "no answer yet" : answerAt(k);
      stage.ariaValueNow = now.toFixed(1);
      stage.ariaValueText = `${now.toFixed(1)} of ${seconds.toFixed(1)} seconds, ${answer}`;
      root.dataset.drawn = clip;
      root.dataset.now = String(now);
    }

    function answerAt(k) {
      const row = card.steps.subarray(k * genres.length, (k + 1) * genres.length);
      const best = row.indexOf(Math.max(...row));
      return `${genres[best]} ${percent(row[best])}${deciding.has(k) ? ", a decisive step" : ""}`;
    }

    return () => {
      if (!stage.clientWidth) return;
      const ratio = devicePixelRatio || 1;
      const width = Math.round(stage.clientWidth * ratio);
      const height = Math.round(total * ratio);
      Object.assign(canvas, { width, height }); // this clears it
      const style = getComputedStyle(root);
      const ink = (name) => style.getPropertyValue(name).trim();
      const x = (s) => (s / seconds) * width;
      const y = (pixels) => Math.round(pixels * ratio);
      const fill = (colour, left, top, right, bottom) => {
        context.fillStyle = colour;
        context.fillRect(left, top, right - left, bottom - top);
      };

      bitmap ??= melBitmap(card, ink("--sw-sound").split(/\s+/).map(Number));
      context.drawImage(bitmap, 0, 0, width, y(mel));

      const middle = mel + gap + shares / 2;
      const largest = Math.max(1e-9, ...card.shares.map(Math.abs));
      for (let k = 0; k < count; k++) {
        // Step k is shown from its end to the end of the next step.
        const from = card.spans[2 * k + 1];
        const [left, right] = [x(from), x(from + card.step_seconds)];
        const tall = (card.shares[k] / largest) * (shares / 2 - 7);
        const top = y(middle - Math.max(0, tall));
        const end = Math.max(left + 1, right - ratio);
        const whose = colour(tall > 0 ? answer : card.rival);
        fill(whose, left, top, end, top + Math.max(1, y(Math.abs(tall))));
        if (deciding.has(k)) {
          const centre = (left + right) / 2;
          const tip = y(mel + gap);
          context.fillStyle = ink("--sw-text");
          context.beginPath();
          context.moveTo(centre - 3 * ratio, tip);
          context.lineTo(centre + 3 * ratio, tip);
          context.lineTo(centre, tip + 5 * ratio);
          context.fill();
        }
        let sum = 0;
        let at = y(total - high);
        for (const [g, colour] of colours.entries()) {
          sum += card.steps[k * genres.length + g];
          const next = y(total - high + high * Math.min(1, sum));
          fill(colour, Math.round(left), at, Math.round(right), next);
          at = next;
        }
      }
      fill(ink("--sw-faint"), 0, y(middle), width, y(middle) + Math.max(1, Math.round(ratio / 2)));
      context.font = `${11 * ratio}px ${style.fontFamily}`;
      context.textAlign = "center";
      context.textBaseline = "middle";
      for (let s = 5; s < seconds - 1; s += 5) context.fillText(clock(s), x(s), y(mel + gap / 2));
      const now = gallery.at(clip);
      const line = x(now) - ratio;
      fill(ink("--sw-text"), line, 0, line + Math.max(2, Math.round(2 * ratio)), height);
      sayNow(now);
      if (gallery.plays(clip)) invalidate();
    };
  }

  gallery.addEventListener("changed", ({ detail }) => {
    if (detail === "welcome") sayWelcome();
    if ((detail === "card" || detail === "error") && open && !paint) sayCard();
    sayPlaying();
    invalidate();
  }, { signal });
  const sizes = new ResizeObserver(invalidate);
  sizes.observe(root);
  signal.addEventListener("abort", () => sizes.disconnect());
  onTheme(() => {
    bitmap = null;
    invalidate();
  }, signal);

  if (gallery.welcome) sayWelcome();
  return () => end(root);
}

function melBitmap(card, colour) {
  const bitmap = new OffscreenCanvas(card.columns, card.bands);
  const inkOf = (value) => [...colour, 255 * (value / 255) ** 1.6];
  bitmap.getContext("2d").putImageData(pictureOf(card, card.mel, inkOf), 0, 0);
  return bitmap;
}

export default widget(Gallery, draw);
