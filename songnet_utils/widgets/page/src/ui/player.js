// Plays the song. Its clock is the clock of everything on the page.

export class Player {
  /** @param {(what: "play" | "ended" | "seek" | "error", text?: string) => void} tell */
  constructor(tell) {
    this.tell = tell;
    this.audio = new Audio();
    this.audio.preload = "auto";
    // Play may be pressed, or a moment chosen, before there is any sound.
    this.isWanted = false;
    /** @type {number | null} */
    this.wantedTime = 0;
    this.url = "";
    this.count = 0;
    for (const kind of ["play", "pause"]) {
      // A keyboard's or a headset's own buttons start and stop it, too.
      this.audio.addEventListener(kind, () => {
        if (this.hasSound && !this.audio.ended) this.isWanted = !this.audio.paused;
        tell("play");
      });
    }
    this.audio.addEventListener("seeked", () => tell("seek"));
    this.audio.addEventListener("loadedmetadata", () => tell("seek"));
    this.audio.addEventListener("ended", () => {
      this.isWanted = false;
      tell("ended");
    });
    this.audio.addEventListener("error", () => {
      if (this.hasSound) tell("error", "This browser cannot play the sound. Its answers are shown all the same.");
    });
  }

  get hasSound() {
    return this.url !== "";
  }

  /** @param {() => Promise<Blob>} load */
  async open(load) {
    this.close();
    const mine = this.count;
    // Whoever hears the song says why it cannot be loaded.
    const blob = await load().catch(() => null);
    if (mine !== this.count || !blob?.size) return;
    this.url = URL.createObjectURL(blob);
    this.audio.src = this.url;
    if (this.wantedTime) this.audio.currentTime = this.wantedTime;
    this.wantedTime = null;
    if (this.isWanted) this.play();
    this.tell("play");
  }

  close() {
    this.count += 1;
    const { url } = this;
    this.url = "";
    this.isWanted = false;
    this.wantedTime = 0;
    this.audio.pause();
    if (!url) return;
    this.audio.removeAttribute("src");
    // Or the old song stays in the player.
    this.audio.load();
    URL.revokeObjectURL(url);
  }

  play() {
    this.isWanted = true;
    if (this.hasSound) {
      if (this.audio.ended) this.audio.currentTime = 0;
      this.audio.play().catch((error) => {
        // A new song or a pause took the place of an unfinished start.
        if (error.name !== "NotAllowedError") return;
        this.isWanted = false;
        this.tell("error", "Your browser waits for a click before it plays. Press play.");
      });
    }
    this.tell("play");
  }

  pause() {
    this.isWanted = false;
    this.audio.pause();
    this.tell("play");
  }

  get time() {
    return this.wantedTime ?? this.audio.currentTime;
  }

  /** @param {number} seconds */
  seek(seconds) {
    if (this.hasSound) this.audio.currentTime = seconds;
    else this.wantedTime = seconds;
    this.tell("seek");
  }

  get duration() {
    const { duration } = this.audio;
    return this.hasSound && Number.isFinite(duration) ? duration : 0;
  }

  // A new sound would begin at the usual speed again.
  /** @param {number} times */
  set speed(times) {
    this.audio.defaultPlaybackRate = times;
    this.audio.playbackRate = times;
  }
}
