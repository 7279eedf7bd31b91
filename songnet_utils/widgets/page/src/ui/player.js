// Plays the song. Its clock is the clock of everything on the page.

export class Player {
  audio = new Audio();
  // Play may be pressed, or a moment chosen, before there is any sound.
  isWanted = false;
  wantedTime = /** @type {number | null} */ (0);
  // Of the sound; empty where there is none.
  url = "";
  count = 0;

  constructor(/** @type {Listens} */ place) {
    this.place = place;
    this.audio.preload = "auto";
    const { audio } = this;
    audio.onplay = audio.onpause = () => {
      // A keyboard's or a headset's own buttons start and stop it, too.
      if (this.url && !audio.ended) this.isWanted = !audio.paused;
      place.changed();
    };
    audio.onseeked = audio.onloadedmetadata = place.changed;
    audio.onended = () => {
      this.isWanted = false;
      place.changed();
      place.ended();
    };
    audio.onerror = () => {
      if (!this.url) return;
      place.fail("This browser cannot play the sound. Its answers are shown all the same.");
    };
  }

  async open(/** @type {() => Promise<Blob>} */ load) {
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
    this.place.changed();
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
    if (this.url) {
      if (this.audio.ended) this.audio.currentTime = 0;
      this.audio.play().catch((error) => {
        // A new song or a pause took the place of an unfinished start.
        if (error.name !== "NotAllowedError") return;
        this.isWanted = false;
        this.place.fail("Your browser waits for a click before it plays. Press play.");
      });
    }
    this.place.changed();
  }

  pause() {
    this.isWanted = false;
    this.audio.pause();
    this.place.changed();
  }

  get time() {
    return this.wantedTime ?? this.audio.currentTime;
  }

  seek(/** @type {number} */ seconds) {
    if (this.url) this.audio.currentTime = seconds;
    else this.wantedTime = seconds;
    this.place.changed();
  }

  get duration() {
    const { duration } = this.audio;
    return this.url && Number.isFinite(duration) ? duration : 0;
  }

  // A new sound would begin at the usual speed again.
  set speed(/** @type {number} */ times) {
    this.audio.defaultPlaybackRate = times;
    this.audio.playbackRate = times;
  }
}
