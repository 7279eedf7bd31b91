// What the page says of itself.

export const INTRODUCTION =
  "A neural network listens along and names the genre that it hears. Drop your own songs anywhere: " +
  "they never leave your computer.";

export const ABOUT = [
  "The upper picture is the sound as the network gets it, a log-mel spectrogram: time runs from left " +
    "to right, pitch from low to high, and strong sounds stand out.",
  "Below it is genre over time. Each column is one answer of the network; the more of it a colour " +
    "fills, the more probable is that genre. An answer begins where the sound it is about has ended, " +
    "so at the playhead you see what the network could know at that moment, and no more.",
  "The bars show the probabilities at the playhead. The mark on each bar is the mean over the song: " +
    "this is what the network says of the song as a whole.",
  "The network always chooses among the genres it learnt. It cannot say “none of these”, and it can " +
    "be sure and wrong, so treat its answers as guesses.",
  "Click into a picture, or use the arrow keys, to go to another moment; the space bar starts and " +
    "stops the song.",
];

/** @param {import("./song.js").Song | null} song */
export function creditOf(song) {
  return song?.clip?.credit ?? "";
}
