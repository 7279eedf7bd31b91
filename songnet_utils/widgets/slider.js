// A slider that has a name: the range input of the browser, over numbered stops.
// common.js stands before this text.

function render({ model, el }) {
  // The attribute, else JupyterLab takes the arrows for its own.
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

  // Keys move the slider, and are no shortcut of the notebook around it.
  input.addEventListener("keydown", (event) => event.stopPropagation());
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
