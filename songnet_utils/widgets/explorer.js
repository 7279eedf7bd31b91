// An explorer on a page without Python: its controls, and Python's recorded result of each setting.
// recording.js draws it and replaces anywidget's model.

// Return the wanted value if it is among `values`, else the nearest number, else the first value.
function nearest(values, wanted) {
  if (values.includes(wanted)) return wanted;
  const away = values.map((value) => Math.abs(value - wanted));
  return values[Math.max(0, away.indexOf(Math.min(...away)))];
}

function render({ model, el }) {
  const controls = model.get("controls");
  const states = model.get("states");
  const chosen = controls.map(({ value }) => value);
  const parts = states[0].parts.map((_, place) =>
    place ? html`<div></div>` : html`<div aria-live="polite"></div>`,
  );

  // A control offers the values of those settings that agree on all controls before it.
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
    const element = html`<label>${name}<select></select></label>`;
    const select = element.querySelector("select");
    select.onchange = () => choose(offered(place)[select.selectedIndex]);
    const show = () => {
      select.replaceChildren(...offered(place).map((value) => option(value, value)));
      select.value = String(chosen[place]);
      select.disabled = select.length === 1;
    };
    return { element, show };
  }

  function slider(description, place, choose) {
    const its = new Recorded({ traits: { description, stops: offered(place), value: chosen[place] } });
    const element = html`<div></div>`;
    drawn("slider", its, element);
    its.on("change:value", () => choose(its.get("value")));
    return { element, show: () => its.set("value", chosen[place]) };
  }

  const buttons = model.get("buttons").map(({ text, values }) => {
    const button = html`<button type="button" class="sw-button">${text}</button>`;
    button.onclick = () => {
      chosen.splice(0, chosen.length, ...values);
      settle();
    };
    return button;
  });

  // Not every setting was recorded, so later controls move to the nearest recorded value.
  function settle() {
    for (const place of chosen.keys()) chosen[place] = nearest(offered(place), chosen[place]);
    const { parts: made } = states.find(({ values }) => values.every((value, at) => value === chosen[at]));
    for (const [place, part] of parts.entries()) {
      // Keep the height, so that the page does not jump while a picture loads.
      if (place) part.style.minHeight = `${part.offsetHeight}px`;
      part.innerHTML = made[place];
    }
    for (const { show } of shown) show();
  }

  el.append(piece("explorer", { controls: [shown.map(({ element }) => element), buttons], parts }));
  settle();
}

export default { render };
