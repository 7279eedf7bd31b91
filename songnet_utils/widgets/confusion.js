// A confusion matrix to press: a number plays its clips. Python puts common.js before this text.

function render({ model, el }) {
  const { caption, heads, counts, names, shares } = model.get("table");
  let chosen = null;
  const cellOf = (row, column) => {
    const [count, name, share] = [counts, names, shares].map((table) => table[row][column]);
    return { count, name, share };
  };
  const pressed = (row, column, button) => {
    for (const other of buttons) other.ariaPressed = String(other === button);
    chosen = { row, column };
    about.replaceChildren(html`<b>${names[row][column]}</b>`);
    sounds.replaceChildren();
    more.hidden = true;
    ask();
  };
  const ask = () => model.send({ kind: "press", ...chosen, start: sounds.childElementCount });
  const show = ({ row, column, start, players, left, text }) => {
    if (row !== chosen?.row || column !== chosen.column) return;
    if (start !== sounds.childElementCount) return;
    if (text) about.append(` ${text}`);
    sounds.insertAdjacentHTML("beforeend", players ?? "");
    more.hidden = !left;
    more.textContent = `Show more (${left} left)`;
  };

  const table = numberTable(caption, heads, cellOf, pressed);
  const buttons = table.querySelectorAll("button");
  for (const button of buttons) button.title = button.ariaLabel;
  const root = piece("confusion", { table });
  const { about, sounds, more } = partsOf(root);
  more.onclick = ask;
  model.on("msg:custom", show);
  el.append(root);
  return () => model.off("msg:custom", show);
}

export default { render };
