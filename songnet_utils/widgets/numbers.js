// A table of numbers to press; common.js stands before this text.

function render({ model, el }) {
  const counts = model.get("counts");
  const names = model.get("names");
  const looks = model.get("looks");
  const cellOf = (row, column) => {
    const [paper, ink] = looks[row][column];
    return { count: counts[row][column], name: names[row][column], paper, ink };
  };
  const table = numberTable(model.get("caption"), model.get("heads"), cellOf, (row, column, button) => {
    for (const other of table.querySelectorAll("button")) other.ariaPressed = String(other === button);
    model.send({ kind: "press", row, column });
  });
  for (const button of table.querySelectorAll("button")) button.title = button.ariaLabel;
  // The attribute, or JupyterLab takes the keys.
  el.append(html`
    <div class="sw-widget sn-numbers" data-lm-suppress-shortcuts="true">${table}</div>`);
}

export default { render };
