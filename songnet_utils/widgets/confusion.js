// The confusion table on a page without Python: a press of a number plays its clips.
// recording.js draws it, and has what stands in for a model.

function render({ model, el }) {
  const root = piece("confusion");
  const [table, about, sounds] = root.children;
  const numbers = new Recorded({ traits: { table: model.get("table") } });
  numbers.send = ({ row, column }) => {
    const { says, players } = model.get("cells")[row][column];
    about.replaceChildren(html`<b>${says}</b>`);
    sounds.innerHTML = players;
  };
  drawn("numbers", numbers, table);
  el.append(...root.children);
}

export default { render };
