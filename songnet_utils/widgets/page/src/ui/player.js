// Plays the song. Everything on the page follows its clock.

export class Player {
  audio = new Audio();
  // You may press Play, or choose a time, before the sound is ready.
  isWanted = false;
  wantedTime = /** @type {number | null} */ (0);
  // The sound's address; empty if there is none.
  url = "";
  count = 0;

  constructor(/** @type {Listens} */ place) {
    this.place = place;
    this.audio.preload = "auto";
    const { audio } = this;
    audio.onplay = audio.onpause = () => {
      // The buttons of a keyboard or headset also start and stop it.
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
      place.fail("This browser cannot play the sound, but the page still shows the answers.");
    };
  }

  async open(/** @type {() => Promise<Blob>} */ load) {
    this.close();
    const mine = this.count;
    // The session reports the reason if a song cannot be loaded.
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
    // Otherwise the old song would stay in the player.
    this.audio.load();
    URL.revokeObjectURL(url);
  }

  play() {
    this.isWanted = true;
    if (this.url) {
      if (this.audio.ended) this.audio.currentTime = 0;
      this.audio.play().catch((error) => {
        // Other errors mean that a new song or a pause came first.
        if (error.name !== "NotAllowedError") return;
        this.isWanted = false;
        this.place.fail("Your browser plays sound only after a click. Press Play.");
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

  // Set the default, too, because a new sound would start at normal speed again.
  set speed(/** @type {number} */ times) {
    this.audio.defaultPlaybackRate = times;
    this.audio.playbackRate = times;
  }
}
