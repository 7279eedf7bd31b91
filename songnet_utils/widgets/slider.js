// A slider that has a name: the range input of the browser, over numbered stops.
// common.js stands before this text.

function render({ model, el }) {
  // The attribute, else JupyterLab takes the arrows for its own.
  const label = html`
    <label class="sn-slider" data-lm-suppress-shortcuts="true">
      <span>${model.get("label")}</span><input type="range" min="0" step="1" /><output></output>
    </label>`;
  const [, input, output] = label.children;
  el.append(label);

  function tell(value) {
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
    tell(value);
  }

  // The keys of a range input, by hand: in a notebook the browser's own steps do not come.
  input.addEventListener("keydown", (event) => {
    const last = model.get("stops").length - 1;
    const page = Math.max(1, Math.round(last / 10));
    const at = input.valueAsNumber;
    const to = {
      ...{ ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1 },
      ...{ PageDown: at - page, PageUp: at + page, Home: 0, End: last },
    }[event.key];
    if (to === undefined || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    input.value = to;
    input.dispatchEvent(new Event("input"));
    input.dispatchEvent(new Event("change"));
  });
  input.addEventListener("input", () => tell(model.get("stops")[input.valueAsNumber]));
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
