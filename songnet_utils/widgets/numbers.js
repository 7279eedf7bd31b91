// A table of numbers to press; common.js stands before this text.

function render({ model, el }) {
  const { caption, heads, counts, names, looks } = model.get("table");
  const cellOf = (row, column) => {
    const [paper, ink] = looks[row][column];
    return { count: counts[row][column], name: names[row][column], paper, ink };
  };
  const pressed = (row, column, button) => {
    for (const other of buttons) other.ariaPressed = String(other === button);
    model.send({ kind: "press", row, column });
  };
  const table = numberTable(caption, heads, cellOf, pressed);
  const buttons = table.querySelectorAll("button");
  for (const button of buttons) button.title = button.ariaLabel;
  // The attribute, or JupyterLab takes the keys.
  el.append(piece("numbers", { table }));
}

export default { render };
