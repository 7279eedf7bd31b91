// Grow the data in the browser: what a song really is, one's own songs, and what is learnt from
// them. growing.py says which messages there are. common.js and uploads.js stand before this text.
//
// A `Grow` is what one kernel tells; `draw` makes one picture of it. Whatever people wrote is put
// into the page as text, never as HTML.

const AT_ONCE = 20; // songs of the list that are shown before "Show more"
const NEW_GENRE = "new"; // no genre's name: those stand behind a "="

// ---- What is known -----------------------------------------------------------------------------

class Grow extends Told {
  constructor(model) {
    super(model);
    this.uploads = new Uploads(this);
    this.waiting = []; // files that were chosen and are not sent yet
    this.present = null; // the song whose genre is asked for
    this.list = null; // { songs, genres }
    this.network = null;
    this.said = new Map(); // by song, what the network says
    this.learning = { stage: "" };
    this.wants = false; // to learn: it was asked for, and nothing has come yet
    this.saves = false;
    this.errors = { song: "", list: "", learning: "" };
    this.notes = { song: "", list: "", learning: "" };
    this.tell("hello");
  }

  close() {
    super.close();
    this.uploads.cancel();
  }

  // There is no sound to stop when the last picture goes.
  pause() {}

  // Forget what was said about a part of the page: somebody does something new there.
  begin(part) {
    this.errors[part] = "";
    this.notes[part] = "";
  }

  on_present(content) {
    if (content.song && content.song === this.present?.song) {
      content.answer ??= this.present.answer;
    } else if (content.song) {
      this.begin("song");
    }
    if (this.uploads.current?.sent) this.uploads.current = null;
    this.present = content;
  }

  on_songs(content) {
    this.list = content;
    this.errors.list = "";
  }

  on_network(content) {
    if (this.network?.run !== content.run) this.said.clear();
    this.network = content;
  }

  on_said(content) {
    if (content.run === this.network?.run) this.said.set(content.song, content);
  }

  on_learning(content) {
    this.learning = content;
    this.wants = false;
    // What was being asked about has been given up for the learning.
    for (const [song, said] of this.said) if (!said.genre) this.said.delete(song);
  }

  on_done(content) {
    this.errors[content.about] = "";
    this.notes[content.about] = content.text;
    if (content.about !== "song") return;
    this.saves = false;
    if (this.welcome?.alone && content.song === this.present?.song) this.next();
  }

  on_error(content) {
    const about = content.about ?? "song";
    this.errors[about] = content.text;
    this.notes[about] = "";
    if (about === "learning") this.wants = false;
    if (about !== "song") return;
    this.saves = false;
    if (this.uploads.current) {
      this.uploads.current = null;
      this.next();
    }
  }

  async on_taken(content) {
    const wrong = await this.uploads.taken(content);
    if (wrong) this.errors.song = wrong;
    this.changed("upload");
  }

  // ---- What people ask for ----

  choose(files) {
    this.waiting.push(...files);
    if (!this.uploads.current && !this.present?.song) this.next();
    this.changed("upload");
  }

  next() {
    while (this.waiting.length && !this.uploads.current) {
      const wrong = this.uploads.send(this.waiting.shift());
      if (wrong) this.errors.song = wrong;
    }
  }

  skip() {
    this.begin("song");
    if (this.present?.song) this.tell("forget", { song: this.present.song });
    this.uploads.cancel();
    this.present = { song: null, why: "" };
    this.next();
    this.changed("upload");
  }

  save(genre, told) {
    const { song, known } = this.present;
    this.begin("song");
    this.saves = true;
    if (known) this.tell("change", { song, genre, part: "song" });
    else this.tell("save", { song, genre, ...told });
    this.changed("save");
  }

  change(song, genre) {
    this.begin("list");
    this.tell("change", { song, genre });
    this.changed("change");
  }

  remove(song) {
    this.begin("list");
    this.tell("remove", { song });
    this.changed("remove");
  }

  // What does the network say of these songs? Asked once.
  ask(songs) {
    if (!this.network?.run || this.learning.stage) return;
    const unknown = songs.filter((song) => !this.said.has(song));
    if (!unknown.length) return;
    for (const song of unknown) this.said.set(song, {});
    this.tell("answers", { songs: unknown });
  }

  learn() {
    this.begin("learning");
    this.wants = true;
    this.tell("learn");
    this.changed("learning");
  }

  get learns() {
    return this.wants || Boolean(this.learning.stage);
  }
}

// ---- The picture of it -------------------------------------------------------------------------

function draw(grow, el) {
  const { signal, number, on, end } = begin(grow);
  const button = (text, kind = "sw-button") => h("button", { type: "button", class: kind }, text);
  const heading = (text) => h("h4", { class: "sg-heading" }, text);
  const part = (name, children) => {
    const error = h("div", { class: "sw-error", role: "alert", hidden: "" });
    const note = h("div", { class: "sg-note", role: "status" });
    const say = () => {
      error.hidden = !grow.errors[name];
      if (error.textContent !== grow.errors[name]) error.textContent = grow.errors[name];
      if (note.textContent !== grow.notes[name]) note.textContent = grow.notes[name];
    };
    const element = h("section", { class: `sg-part sg-${name}` }, [...children, error, note]);
    return { element, say };
  };

  // -- What is this song? --
  const fileInput = h("input", {
    ...{ type: "file", class: "sg-file", tabindex: "-1", "aria-hidden": "true", multiple: "" },
    accept: "audio/*,video/mp4,.mp3,.wav,.flac,.ogg,.opus,.au,.aiff,.aif,.m4a,.aac,.webm,.wma",
  });
  const chooseButton = button("Choose songs");
  const chooseRow = h("div", { class: "sg-row", hidden: "" }, [chooseButton, fileInput]);
  const progress = h("progress", { max: "1", value: "0", "aria-label": "Upload" });
  const progressText = h("span", {});
  const uploadRow = h("div", { class: "sg-row", hidden: "" }, [progress, progressText]);
  const name = h("div", { class: "sg-name" });
  const about = h("p", { class: "sg-faint" });
  const chips = h("div", { class: "sg-chips" });
  const otherRadio = h("input", { type: "radio", name: `sg-${number}-genre`, value: NEW_GENRE });
  otherRadio.setAttribute("aria-label", "Another genre");
  const otherText = h("input", {
    ...{ type: "text", class: "sg-text", placeholder: "another genre" },
    ...{ "aria-label": "Name of another genre", autocomplete: "off" },
  });
  const other = h("div", { class: "sg-chip sg-other" }, [otherRadio, otherText]);
  const genres = h("fieldset", { class: "sg-genres" }, [
    h("legend", {}, "What is it really?"),
    h("div", { class: "sg-chips" }, [chips, other]),
  ]);
  const learnable = h("p", { class: "sg-faint" });
  const fields = {};
  const field = (what, label) => {
    fields[what] = h("input", { type: "text", class: "sg-text", autocomplete: "off" });
    return h("label", {}, [label, fields[what]]);
  };
  const more = h("details", { class: "sg-more" }, [
    h("summary", {}, "Title, artist, source, licence (if you like)"),
    h("div", { class: "sg-fields" }, [
      field("title", "Title"),
      field("artist", "Artist"),
      field("source", "Where it is from"),
      field("licence", "Licence"),
    ]),
  ]);
  const saveButton = button("Save", "sw-button sg-main");
  const skipButton = button("Skip this song");
  const form = h("form", { class: "sg-form", autocomplete: "off" }, [
    ...[genres, learnable, more],
    h("div", { class: "sg-row" }, [saveButton, skipButton]),
  ]);
  saveButton.type = "submit";
  const songPart = part("song", [
    heading("What is this song?"),
    ...[chooseRow, uploadRow, name, about, form],
  ]);

  // -- Your songs --
  const listHeading = heading("Your songs");
  const empty = h("p", { class: "sg-faint" });
  const list = h("ul", { class: "sg-list" });
  const moreButton = button("Show more");
  const kept = h("p", { class: "sg-faint sg-kept" });
  const listPart = part("list", [listHeading, empty, list, moreButton, kept]);

  // -- Learn from my songs --
  const who = h("p", { class: "sg-faint" });
  const learnButton = button("Learn from my songs", "sw-button sg-main");
  const stopButton = button("Stop");
  const learnProgress = h("progress", { max: "1", value: "0", "aria-label": "Learning" });
  const learnText = h("span", { role: "status" });
  const learnRow = h("div", { class: "sg-row", hidden: "" }, [learnProgress, learnText]);
  const changed = h("div", { class: "sg-changed", hidden: "" });
  const useButton = button("Use this network in the live song");
  const undoButton = button("Undo");
  const grownRow = h("div", { class: "sg-row", hidden: "" }, [useButton, undoButton]);
  const learnPart = part("learning", [
    ...[heading("Learn from my songs"), who],
    h("div", { class: "sg-row" }, [learnButton, stopButton]),
    ...[learnRow, changed, grownRow],
  ]);

  const root = h(
    "div",
    {
      ...{ class: "sw-widget sg-grow", role: "group", "aria-label": "Grow the data" },
      "data-lm-suppress-shortcuts": "true", // or JupyterLab takes the keys
    },
    [songPart.element, listPart.element, learnPart.element],
  );
  root.grow = grow;
  el.append(root);
  // Keys meant for the widget are not for the notebook around it.
  on(root, "keydown", (event) => event.stopPropagation());

  // -- What people do with the song --
  const chosenGenre = () => {
    const radio = genres.querySelector("input[type=radio]:checked");
    if (!radio) return "";
    return radio === otherRadio ? otherText.value.trim() : radio.value.slice(1);
  };
  const sayForm = () => {
    saveButton.disabled = !grow.present?.song || !chosenGenre() || grow.saves;
  };
  on(chooseButton, "click", () => fileInput.click());
  on(fileInput, "change", () => {
    grow.begin("song");
    grow.choose([...fileInput.files]);
    fileInput.value = "";
  });
  on(skipButton, "click", () => grow.skip());
  on(otherText, "input", () => {
    otherRadio.checked = Boolean(otherText.value.trim()) || otherRadio.checked;
    sayForm();
  });
  on(otherRadio, "change", () => otherText.focus());
  on(genres, "change", sayForm);
  on(form, "submit", (event) => {
    event.preventDefault();
    if (saveButton.disabled) return;
    const told = Object.entries(fields).map(([what, input]) => [what, input.value.trim()]);
    grow.save(chosenGenre(), Object.fromEntries(told));
  });

  let shown = { song: undefined, known: undefined }; // what the form is about
  function sayPresent() {
    const { present } = grow;
    const song = present?.song ?? null;
    const alone = grow.welcome?.alone;
    const known = present?.known ?? null;
    form.hidden = !song;
    name.textContent = song ? present.name : "";
    name.hidden = !song;
    chooseRow.hidden = !alone;
    skipButton.hidden = !alone;
    const lines = [];
    if (!song) {
      lines.push(present?.why || (alone ? "Choose songs of your own, then say what they are." : ""));
    }
    if (present?.answer) {
      const who = alone ? (grow.network?.name ?? "The network") : "The network above";
      lines.push(`${who} says ${present.answer[0]}, ${percent(present.answer[1])}.`);
    }
    if (known) lines.push(`It is among your songs already, as ${known.genre}; you can change that.`);
    about.textContent = lines.filter(Boolean).join(" ");
    more.hidden = Boolean(known);
    saveButton.textContent = known ? "Change its genre" : "Save";
    if (song !== shown.song || known?.genre !== shown.known) {
      if (song !== shown.song) {
        for (const [what, input] of Object.entries(fields)) {
          input.value = "";
          input.placeholder = present?.tags?.[what] ?? "";
        }
        otherText.value = "";
      }
      choose(known?.genre ?? null);
      shown = { song, known: known?.genre };
    }
    sayForm();
  }

  function choose(genre) {
    for (const radio of genres.querySelectorAll("input[type=radio]")) {
      radio.checked = genre !== null && radio.value === `=${genre}`;
    }
  }

  let chipsOf = "";
  function sayGenres() {
    const known = grow.list?.genres ?? [];
    const key = JSON.stringify(known);
    if (key !== chipsOf) {
      chipsOf = key;
      const before = chosenGenre();
      chips.replaceChildren(
        ...known.map((genre) => {
          const value = `=${genre.name}`;
          const radio = h("input", { type: "radio", name: `sg-${number}-genre`, value });
          const marks = genre.colour ? [swatchOf(genre.colour)] : [];
          return h("label", { class: "sg-chip" }, [radio, ...marks, genre.name]);
        }),
      );
      if (before && known.some((genre) => genre.name === before)) choose(before);
    }
    const unlearnt = known.filter((genre) => !genre.learnt).map((genre) => genre.name);
    const learns = grow.network?.run && known.some((genre) => genre.learnt);
    learnable.textContent = learns
      ? `${grow.network.name} tells ${known.length - unlearnt.length} genres apart. Songs of ` +
        `${unlearnt.length ? `others (${some(unlearnt)})` : "others"} are kept, but it cannot learn from them.`
      : "";
    sayForm();
  }

  function sayUpload() {
    const { current } = grow.uploads;
    const waiting = grow.waiting.length;
    uploadRow.hidden = !current && !waiting;
    progress.hidden = !current;
    const wait = waiting ? `${waiting} more ${waiting > 1 ? "wait" : "waits"}.` : "";
    if (!current) {
      progressText.textContent = wait;
      return;
    }
    const share = current.file.size ? current.taken / current.file.size : 1;
    progress.value = share;
    const state = current.sent
      ? "here, decoding …"
      : current.waits
        ? "waiting for Python (is a cell running?)"
        : `${Math.floor(share * 100)} % of ${megabytesOf(current.file.size)}`;
    progressText.textContent = `${current.file.name}: ${state} ${wait}`;
  }

  // -- The list --
  let most = AT_ONCE;
  const rows = new Map(); // by song
  on(moreButton, "click", () => {
    most += AT_ONCE;
    sayList();
  });

  function makeRow(song) {
    const what = h("div", { class: "sg-what" });
    const facts = h("div", { class: "sg-faint" });
    const said = h("div", { class: "sg-said" });
    const select = h("select", {});
    const text = h("input", { type: "text", class: "sg-text", autocomplete: "off" });
    const ok = button("Set");
    ok.type = "submit";
    const naming = h("form", { class: "sg-naming", hidden: "" }, [text, ok]);
    const removeButton = button("Remove", "sg-quiet");
    const sure = h("div", { class: "sg-sure", hidden: "" });
    const yes = button("Remove it");
    const no = button("Keep it");
    sure.append(h("span", {}, "Its file here goes, too."), yes, no);
    const element = h("li", {}, [
      h("div", { class: "sg-names" }, [what, facts]),
      h("div", { class: "sg-genre" }, [select, naming]),
      ...[said, removeButton, sure],
    ]);
    const row = { element, song };

    const nameIt = (open) => {
      naming.hidden = !open;
      select.hidden = open;
    };
    on(select, "change", () => {
      if (select.value === NEW_GENRE) {
        nameIt(true);
        text.value = "";
        text.focus();
      } else grow.change(song, select.value.slice(1));
    });
    on(text, "keydown", (event) => {
      if (event.key !== "Escape") return;
      nameIt(false);
      row.say();
      select.focus();
    });
    on(naming, "submit", (event) => {
      event.preventDefault();
      const genre = text.value.trim();
      nameIt(false);
      if (genre) grow.change(song, genre);
      row.say();
      select.focus();
    });
    on(removeButton, "click", () => {
      sure.hidden = false;
      removeButton.hidden = true;
      no.focus();
    });
    on(no, "click", () => {
      sure.hidden = true;
      removeButton.hidden = false;
      removeButton.focus();
    });
    on(yes, "click", () => grow.remove(song));

    row.say = () => {
      const facts_ = row.facts;
      const called = `“${facts_.title}”`;
      what.replaceChildren(h("b", {}, facts_.title), facts_.artist ? ` by ${facts_.artist}` : "");
      facts.textContent = [
        time(facts_.seconds),
        facts_.licence,
        facts_.source && `from ${facts_.source}`,
        !facts_.there && "its file is gone: bring it again, or remove it",
      ].filter(Boolean).join(" · ");
      const names = (grow.list?.genres ?? []).map((genre) => genre.name);
      const options = [...new Set([...names, facts_.genre])];
      const key = JSON.stringify(options);
      if (row.options !== key) {
        row.options = key;
        select.replaceChildren(
          ...options.map((genre) => option(`=${genre}`, genre)),
          option(NEW_GENRE, "another genre …"),
        );
      }
      if (naming.hidden) select.value = `=${facts_.genre}`;
      select.setAttribute("aria-label", `Genre of ${called}`);
      text.setAttribute("aria-label", `New genre of ${called}`);
      text.maxLength = grow.welcome?.most_in_genre ?? 40;
      removeButton.setAttribute("aria-label", `Remove ${called}`);
      yes.setAttribute("aria-label", `Remove ${called} and its file`);
      no.setAttribute("aria-label", `Keep ${called}`);
      row.sayAnswer();
    };
    row.sayAnswer = () => {
      const answer = grow.said.get(song);
      const { network } = grow;
      said.replaceChildren();
      if (!network?.run || !row.facts.there) return;
      if (answer?.error) said.textContent = answer.error;
      else if (answer?.genre) {
        const same = answer.genre.toLowerCase() === row.facts.genre.toLowerCase();
        said.append(
          h("span", { class: "sg-mark", "aria-hidden": "true" }, same ? "✓" : "≠"),
          `${network.name}: ${answer.genre} ${percent(answer.share)}`,
          h("span", { class: "sw-hidden" }, same ? ", as you say" : ", not as you say"),
        );
      } else if (!grow.learns) said.textContent = `${network.name} is being asked …`;
    };
    return row;
  }

  function sayList() {
    const songs = grow.list?.songs ?? [];
    listHeading.textContent = songs.length ? `Your songs (${songs.length})` : "Your songs";
    empty.textContent = grow.list && !songs.length ? "None yet. Those that you save stand here." : "";
    empty.hidden = !empty.textContent;
    const visible = songs.slice(0, most);
    moreButton.hidden = songs.length <= most;
    kept.textContent =
      grow.welcome && songs.length ? `They are kept in ${grow.welcome.folder}.` : "";
    const gone = new Set(rows.keys());
    const here = [...list.children].findIndex((row) => row.contains(document.activeElement));
    visible.forEach((facts, place) => {
      gone.delete(facts.song);
      if (!rows.has(facts.song)) rows.set(facts.song, makeRow(facts.song));
      const row = rows.get(facts.song);
      row.facts = facts;
      row.say();
      if (list.children[place] !== row.element) list.insertBefore(row.element, list.children[place] ?? null);
    });
    for (const song of gone) {
      const { element } = rows.get(song);
      const hadFocus = element.contains(document.activeElement);
      element.remove();
      rows.delete(song);
      if (!hadFocus) continue;
      // The next one takes the focus, or nobody knows where it is.
      const next = list.children[Math.min(here, list.children.length - 1)];
      (next?.querySelector("select") ?? chooseButton).focus();
    }
    grow.ask(visible.filter((facts) => facts.there).map((facts) => facts.song));
  }

  // -- Learning --
  on(learnButton, "click", () => grow.learn());
  on(stopButton, "click", () => {
    grow.tell("stop");
    stopButton.disabled = true;
    learnText.textContent = "Stopping …";
  });
  on(useButton, "click", () => {
    grow.begin("learning");
    grow.tell("use");
  });
  on(undoButton, "click", () => {
    grow.begin("learning");
    grow.tell("undo", { run: grow.network.run });
  });

  // Is there a song that the network could learn from?
  function canLearn() {
    return Boolean(grow.list?.songs.some((song) => song.learnable));
  }

  function sayLearning() {
    const { learning, network } = grow;
    learnButton.disabled = !network?.run || !canLearn() || grow.learns;
    stopButton.hidden = !grow.learns;
    if (!grow.learns) stopButton.disabled = false;
    learnRow.hidden = !grow.learns;
    undoButton.disabled = grow.learns;
    if (!grow.learns || stopButton.disabled) return;
    const stages = {
      preparing: "Preparing the clips that it learnt from (the first time this takes minutes) …",
      before: "Asking the network as it is …",
      learning: `Epoch ${learning.epoch} of ${learning.epochs}`,
      after: "Asking it again …",
    };
    const text = stages[learning.stage] ?? "Beginning …";
    if (learnText.textContent !== text) learnText.textContent = text;
    if (learning.stage === "learning") learnProgress.value = learning.share;
    else learnProgress.removeAttribute("value");
  }

  function sayNetwork() {
    const { network } = grow;
    const nothing = grow.list?.songs.length
      ? "None of your songs is of a genre that it knows, so there is nothing yet that it could learn from."
      : "Save a song first.";
    if (!network) who.textContent = "";
    else if (!network.run) {
      who.textContent = "There is no network of your own yet that could learn. Train one: songnet train mini. Your songs are kept meanwhile.";
    } else {
      who.replaceChildren(
        h("b", {}, network.name),
        ` (${network.run}) learnt from ${network.training_music}. It goes on from there with your songs and with clips that it knows, so that it does not forget them. The network as it is stays.`,
        canLearn() ? "" : ` ${nothing}`,
      );
    }
    const grown = network?.grown;
    changed.hidden = grownRow.hidden = !grown;
    if (!grown) {
      changed.replaceChildren();
      return;
    }
    const head = ["", "Clips", "Right before", "Right after", "Verdict"];
    const table = h("table", { class: "sw-table sg-table" }, [
      h("caption", {}, `What learning has changed, since ${grown.parent}`),
      h("thead", {}, [h("tr", {}, head.map((text) => (text ? h("th", { scope: "col" }, text) : h("td", {}))))]),
      h("tbody", {}, grown.rows.map((row) =>
        h("tr", {}, [
          h("th", { scope: "row" }, row.name),
          h("td", { "data-name": "clips" }, String(row.clips)),
          h("td", { "data-name": "right before" }, `${row.before} (${percent(row.before / row.clips)})`),
          h("td", { "data-name": "right after" }, `${row.after} (${percent(row.after / row.clips)})`),
          h("td", { class: "sg-verdict" }, row.verdict),
        ]),
      )),
    ]);
    const lines = [];
    if (!grown.held) {
      lines.push(h("p", {}, "None of your songs could be held out: how it does on songs like these that it has not heard, nobody knows. Bring more, of several artists."));
    }
    if (grown.left_out_of) {
      const rest = grown.left_out_of - grown.left_out.length;
      lines.push(
        h("p", {}, "Left out:"),
        h("ul", { class: "sg-left" }, [
          ...grown.left_out.map(({ song, reason }) => h("li", {}, `${song}: ${reason}`)),
          ...(rest > 0 ? [h("li", {}, `and ${rest} more`)] : []),
        ]),
      );
    }
    const all = h("details", { class: "sg-more" }, [
      h("summary", {}, "All of it in words, with intervals"),
      ...grown.text.split("\n").map((line) => h("p", {}, line)),
    ]);
    all.open = changed.querySelector("details")?.open ?? false;
    changed.replaceChildren(table, ...lines, all);
    useButton.hidden = !network.can_use;
    useButton.disabled = network.used;
    useButton.textContent = network.used
      ? "The live song has it among its networks"
      : "Use this network in the live song";
    undoButton.setAttribute("aria-label", `Undo: go back to ${grown.parent}`);
  }

  function sayWelcome() {
    if (!grow.welcome) return;
    otherText.maxLength = grow.welcome.most_in_genre;
    for (const input of Object.values(fields)) input.maxLength = grow.welcome.most_in_text;
  }

  function say() {
    sayWelcome();
    sayGenres();
    sayPresent();
    sayUpload();
    sayList();
    sayNetwork();
    sayLearning();
    for (const { say: sayPart } of [songPart, listPart, learnPart]) sayPart();
    root.dataset.song = grow.present?.song ?? "";
    root.dataset.songs = grow.list ? String(grow.list.songs.length) : "";
    root.dataset.run = grow.network?.run ?? "";
    root.dataset.learns = String(grow.learns);
  }

  on(grow, "changed", (event) => {
    const what = event.detail;
    if (what === "said") {
      for (const row of rows.values()) row.sayAnswer();
    } else if (what === "learning" && grow.learning.stage) {
      sayLearning();
    } else say();
  });
  say();
  const silent = setTimeout(() => {
    if (grow.welcome) return;
    about.textContent = "Waiting for Python … Is another cell still running? Without a kernel (make lab) nothing is kept here.";
  }, 4000);

  return () => {
    clearTimeout(silent);
    end(root);
  };
}

// ---- Small things ------------------------------------------------------------------------------

const some = (names, most = 4) =>
  names.slice(0, most).join(", ") + (names.length > most ? ` and ${names.length - most} more` : "");

export default widget(Grow, draw);
