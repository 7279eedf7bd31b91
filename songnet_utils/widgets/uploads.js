// Files sent in pieces, each when the one before it was acknowledged (uploads.py takes them).

const PATIENCE_UPLOAD = 15_000; // ms without an answer after which a piece is sent again

class Uploads {
  // `told` is a Told whose welcome says most_bytes and most_in_message.
  constructor(told) {
    this.told = told;
    this.current = null; // { number, file, taken, sent, waits }
  }

  // Returns what is wrong with the file, or "".
  send(file) {
    const { most_bytes } = this.told.welcome;
    if (file.size > most_bytes) {
      return `${file.name}: has ${megabytesOf(file.size)}; at most ${megabytesOf(most_bytes)} are taken. Cut it, or export it in a smaller format (mp3).`;
    }
    this.cancel();
    const number = crypto.getRandomValues(new Uint32Array(1))[0];
    this.current = { number, file, taken: 0, sent: false, waits: false };
    this.post(() =>
      this.told.tell("upload", { upload: number, name: file.name, bytes: file.size }),
    );
    return "";
  }

  post(message) {
    const { current } = this;
    message();
    clearTimeout(current.timer);
    current.timer = setTimeout(() => {
      if (this.current !== current || current.sent) return;
      current.waits = true;
      this.post(message);
      this.told.changed("upload");
    }, PATIENCE_UPLOAD);
  }

  // Python has so many bytes. Returns what went wrong, or "".
  async taken(content) {
    const { current } = this;
    if (!current || current.number !== content.upload || current.sent) return "";
    current.taken = content.bytes;
    current.waits = false;
    if (current.taken >= current.file.size) {
      current.sent = true;
      clearTimeout(current.timer);
      return "";
    }
    const at = current.taken;
    const piece = current.file.slice(at, at + this.told.welcome.most_in_message);
    let bytes;
    try {
      bytes = await piece.arrayBuffer();
    } catch (error) {
      this.cancel();
      return `${current.file.name}: could not be read to its end (${error.message}). Is it still there?`;
    }
    if (this.current === current && current.taken === at) {
      this.post(() => this.told.tell("chunk", { upload: current.number, at }, [bytes]));
    }
    return "";
  }

  // Forget the file; Python, too, unless it has all of it.
  cancel() {
    const { current } = this;
    if (!current) return;
    clearTimeout(current.timer);
    this.current = null;
    if (!current.sent) this.told.tell("cancel", { upload: current.number });
  }
}

const megabytesOf = (bytes) =>
  bytes < 1e6 ? `${Math.ceil(bytes / 1000)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
