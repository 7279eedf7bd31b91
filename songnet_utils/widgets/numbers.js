// A table of numbers to press; common.js stands before this text.

function render({ model, el }) {
  const counts = model.get("counts");
  const names = model.get("names");
  const looks = model.get("looks");
  const cellOf = (row, column) => {
    const [paper, ink] = looks[row][column];
    return { count: counts[row][column], name: names[row][column], paper, ink };
  };
  const pressed = (row, column, button) => {
    for (const other of buttons) other.ariaPressed = String(other === button);
    model.send({ kind: "press", row, column });
  };
  const table = numberTable(model.get("caption"), model.get("heads"), cellOf, pressed);
  const buttons = table.querySelectorAll("button");
  for (const button of buttons) button.title = button.ariaLabel;
  // The attribute, or JupyterLab takes the keys.
  el.append(piece("numbers", { table }));
}

export default { render };
