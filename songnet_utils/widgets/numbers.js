// A table of numbers to press; common.js stands before this text.

function render({ model, el }) {
  const heads = model.get("heads");
  const head = h("tr", {}, [
    h("td", {}),
    ...heads.map((column) => h("th", { scope: "col" }, column)),
  ]);
  const rows = heads.map((name, row) =>
    h("tr", {}, [
      h("th", { scope: "row" }, name),
      ...heads.map((_, column) => h("td", {}, number(row, column))),
    ]),
  );
  const table = h("table", { class: "sw-table" }, [
    h("caption", {}, model.get("caption")),
    h("thead", {}, head),
    h("tbody", {}, rows),
  ]);
  const root = h(
    "div",
    { class: "sw-widget sn-numbers", "data-lm-suppress-shortcuts": "true" }, // or JupyterLab takes the keys
    table,
  );
  const buttons = [...table.querySelectorAll("button")];
  if (buttons.length) buttons[0].tabIndex = 0;

  function number(row, column) {
    const name = model.get("names")[row][column];
    const [colour, ink] = model.get("looks")[row][column];
    const button = h(
      "button",
      { type: "button", tabindex: "-1", title: name, "aria-label": name, "aria-pressed": "false" },
      String(model.get("counts")[row][column]),
    );
    button.style.background = colour;
    button.style.color = ink;
    button.addEventListener("click", () => {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      focusOnly(table, button);
      model.send({ kind: "press", row, column });
    });
    return button;
  }

  root.addEventListener("keydown", (event) => {
    const next = moved(event.key, buttons.indexOf(event.target), heads.length);
    // Enter and space press the button, and are no shortcut of the notebook around it, either.
    if (next !== null || event.key === "Enter" || event.key === " ") event.stopPropagation();
    if (next === null) return;
    event.preventDefault();
    focusOnly(table, buttons[next]);
  });
  el.append(root);
}

export default { render };
