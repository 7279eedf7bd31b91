// An explorer on a page without Python: its controls, and what Python made of each setting.
// recording.js draws it, and has what stands in for a model.

// Of some values the one that is wanted, else the nearest number, else the first.
function nearest(values, wanted) {
  const away = values.map((value) => (value === wanted ? -1 : Math.abs(value - wanted)));
  return values[Math.max(0, away.indexOf(Math.min(...away)))];
}

function render({ model, el }) {
  const controls = model.get("controls");
  const states = model.get("states");
  const chosen = controls.map(({ value }) => value);
  const parts = states[0].parts.map((_, place) => h("div", place ? {} : { "aria-live": "polite" }));

  // What a control offers: the values of settings that agree on all controls before it.
  const offered = (place) => {
    const fits = ({ values }) => values.every((value, at) => at >= place || value === chosen[at]);
    return [...new Set(states.filter(fits).map(({ values }) => values[place]))];
  };

  const shown = controls.map((control, place) =>
    (control.slider ? slider : list)(control.name, place, (value) => {
      if (chosen[place] === value) return;
      chosen[place] = value;
      settle();
    }),
  );

  function list(name, place, choose) {
    const select = h("select");
    select.addEventListener("change", () => choose(offered(place)[select.selectedIndex]));
    const show = () => {
      select.replaceChildren(...offered(place).map((value) => option(value, String(value))));
      select.value = String(chosen[place]);
      select.disabled = select.length === 1;
    };
    return { element: h("label", {}, [name, select]), show };
  }

  function slider(label, place, choose) {
    const its = new Recorded({ traits: { label, stops: offered(place), value: chosen[place] } });
    const element = h("div");
    drawn("slider", its, element);
    its.on("change:value", () => choose(its.get("value")));
    return { element, show: () => its.set("value", chosen[place]) };
  }

  const buttons = model.get("buttons").map(({ text, values }) => {
    const button = h("button", { type: "button", class: "sw-button" }, text);
    button.addEventListener("click", () => {
      chosen.splice(0, chosen.length, ...values);
      settle();
    });
    return button;
  });

  // Not every setting was recorded: the controls behind one that moved take what there is.
  function settle() {
    for (const place of chosen.keys()) chosen[place] = nearest(offered(place), chosen[place]);
    const { parts: made } = states.find(({ values }) => values.every((value, at) => value === chosen[at]));
    for (const [place, part] of parts.entries()) {
      // The page does not jump while a picture loads.
      if (place) part.style.minHeight = `${part.offsetHeight}px`;
      part.innerHTML = made[place];
    }
    for (const { show } of shown) show();
  }

  el.append(
    h("div", { class: "sw-widget se-explorer" }, [
      h("div", { class: "se-controls" }, [...shown.map(({ element }) => element), ...buttons]),
      ...parts,
    ]),
  );
  settle();
}

export default { render };
