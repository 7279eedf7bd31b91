// A slider that has a name: the range input of the browser, over numbered stops.

function render({ model, el }) {
  const label = document.createElement("label");
  label.className = "sn-slider";
  const name = document.createElement("span");
  name.textContent = model.get("label");
  const input = document.createElement("input");
  input.type = "range";
  input.min = 0;
  input.step = 1;
  // Else JupyterLab takes the arrows for its own.
  label.dataset.lmSuppressShortcuts = "true";
  const output = document.createElement("output");
  label.append(name, input, output);
  el.append(label);

  function say(value) {
    const words = value.toFixed(2);
    output.textContent = words;
    input.setAttribute("aria-valuetext", words);
  }

  function show() {
    const stops = model.get("stops");
    const value = model.get("value");
    const away = stops.map((stop) => Math.abs(stop - value));
    input.max = stops.length - 1;
    input.value = away.indexOf(Math.min(...away));
    say(value);
  }

  // The keys of a range input, by hand: in a notebook the browser's own steps do not come.
  input.addEventListener("keydown", (event) => {
    const last = model.get("stops").length - 1;
    const page = Math.max(1, Math.round(last / 10));
    const at = input.valueAsNumber;
    const to = {
      ArrowLeft: at - 1,
      ArrowDown: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at + 1,
      PageDown: at - page,
      PageUp: at + page,
      Home: 0,
      End: last,
    }[event.key];
    if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    input.value = to;
    input.dispatchEvent(new Event("input"));
    input.dispatchEvent(new Event("change"));
  });
  input.addEventListener("input", () => say(model.get("stops")[input.valueAsNumber]));
  // Only when it is let go: Python draws anew each time.
  input.addEventListener("change", () => {
    model.set("value", model.get("stops")[input.valueAsNumber]);
    model.save_changes();
  });
  model.on("change:value", show);
  show();
  return () => model.off("change:value", show);
}

export default { render };
