// The confusion table on a page without Python: a press of a number plays its clips.
// recording.js draws it, and has what stands in for a model.

function render({ model, el }) {
  const table = h("div");
  const about = h("p", { role: "status" }, "Nothing is pressed yet.");
  const sounds = h("div");
  const numbers = new Recorded({ traits: model.get("numbers") });
  numbers.send = ({ row, column }) => {
    const { says, players } = model.get("cells")[row][column];
    about.replaceChildren(h("b", {}, says));
    sounds.innerHTML = players;
  };
  drawn("numbers", numbers, table);
  el.append(table, about, sounds);
}

export default { render };
