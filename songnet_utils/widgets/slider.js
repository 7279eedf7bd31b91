// A slider with a name: the browser's range input over numbered stops.
// Python puts common.js before this text.

function render({ model, el }) {
  // Without the attribute of this template, JupyterLab would take the arrow keys.
  const label = piece("slider", { label: model.get("description") });
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

  // Keys move the slider; they must not reach the notebook's shortcuts.
  input.addEventListener("keydown", (event) => event.stopPropagation());
  input.addEventListener("input", () => tell(model.get("stops")[input.valueAsNumber]));
  // Tell Python only at the end of a move, because it redraws each time.
  input.addEventListener("change", () => {
    model.set("value", model.get("stops")[input.valueAsNumber]);
    model.save_changes();
  });
  model.on("change:value", show);
  show();
  return () => model.off("change:value", show);
}

export default { render };
