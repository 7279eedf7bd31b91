// The page of `songnet app`: a socket to Python, and for each widget a stand-in for Jupyter's model.
//
// app.py says what a message is on the wire. Nothing is asked of any other machine.

const socket = new WebSocket(`ws://${location.host}/talk`);
socket.binaryType = "arraybuffer";
const models = new Map(); // by the widget's name
const notice = document.getElementById("notice");

// What widgets use of Jupyter's model: messages both ways.
class Model {
  constructor(name) {
    this.name = name;
    this.listeners = new Set();
  }

  on(kind, act) {
    if (kind === "msg:custom") this.listeners.add(act);
  }

  off(kind, act) {
    if (kind === "msg:custom") this.listeners.delete(act);
  }

  send(content, callbacks, buffers = []) {
    if (socket.readyState === WebSocket.OPEN) socket.send(packed({ widget: this.name, content }, buffers));
  }
}

function packed(header, buffers) {
  const pieces = buffers.map((buffer) =>
    ArrayBuffer.isView(buffer)
      ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
      : new Uint8Array(buffer),
  );
  const sizes = pieces.map((piece) => piece.byteLength);
  const text = new TextEncoder().encode(JSON.stringify({ ...header, buffers: sizes }));
  const message = new Uint8Array(4 + text.length + sizes.reduce((sum, size) => sum + size, 0));
  new DataView(message.buffer).setUint32(0, text.length);
  message.set(text, 4);
  let at = 4 + text.length;
  for (const piece of pieces) {
    message.set(piece, at);
    at += piece.byteLength;
  }
  return message;
}

function unpacked(message) {
  let at = 4 + new DataView(message).getUint32(0);
  const { widget, content, buffers } = JSON.parse(new TextDecoder().decode(new Uint8Array(message, 4, at - 4)));
  const views = buffers.map((size) => {
    at += size;
    return new DataView(message, at - size, size);
  });
  return { widget, content, buffers: views };
}

async function show(name) {
  const made = (await import(`./${name}.js`)).default;
  const kind = typeof made === "function" ? await made() : made;
  const model = new Model(name);
  models.set(name, model);
  const el = document.createElement("div");
  document.querySelector("main").append(el);
  await kind.initialize?.({ model });
  await kind.render({ model, el });
}

function say(text) {
  const end = document.getElementById("end");
  const again = document.createElement("button");
  again.type = "button";
  again.textContent = "Load again";
  again.addEventListener("click", () => location.reload());
  const words = document.createElement("span");
  words.textContent = text;
  end.replaceChildren(words, again);
  end.hidden = false;
}

let ended = false;
socket.addEventListener("message", async (event) => {
  const { widget, content, buffers } = unpacked(event.data);
  if (widget) {
    for (const act of models.get(widget)?.listeners ?? []) act(content, buffers);
  } else if (content.kind === "end") {
    ended = true;
    notice.hidden = true;
    say(content.text);
  } else if (content.kind === "widgets") {
    notice.textContent = content.notice;
    notice.hidden = !content.notice;
    for (const name of content.widgets) await show(name);
    document.body.dataset.ready = "true";
  }
});
socket.addEventListener("close", () => {
  notice.hidden = true;
  if (!ended) say("The connection to songnet app is gone: is it still running? Start it, then load this page again.");
});
