// The colours of genres, the same as in the course's plots (songnet_utils/plots/style.py).

/** @type {Record<string, string>} */
const KNOWN = {
  electronic: "#45D3F4",
  experimental: "#A8A9AB",
  folk: "#149861",
  "hip-hop": "#F7AA16",
  instrumental: "#2452AF",
  international: "#7F1300",
  pop: "#A474A9",
  rock: "#EB3500",
};
const MORE = [
  ..."#B9D77A #5B3A8C #F5C6C6 #3F4A1E #8A6D3B #0B3C49 #E56BB5 #6E8B9E".split(" "),
];

export function genreColours(/** @type {string[]} */ genres) {
  const taken = new Map();
  for (const genre of genres) {
    const colour = KNOWN[genre.toLowerCase()];
    if (colour) taken.set(genre, colour);
  }
  const used = new Set(taken.values());
  const left = [...Object.values(KNOWN).filter((colour) => !used.has(colour)), ...MORE];
  const others = [...new Set(genres)].filter((genre) => !taken.has(genre)).sort();
  others.forEach((genre, place) => taken.set(genre, left[place % left.length]));
  return genres.map((genre) => taken.get(genre));
}

const redGreenBlue = (/** @type {string} */ colour) =>
  [0, 2, 4].map((at) => parseInt(colour.slice(at, at + 2), 16));

// From silence to the loudest: seaborn's "mako" on dark pages, and reversed on light pages.
const MAKO = {
  dark: ["11141c", "2d234a", "3e4589", "357ba2", "3cb4ac", "def5e5"].map(redGreenBlue),
  light: ["ffffff", "ceecde", "5cc0ae", "357ba2", "3d4082", "180e20"].map(redGreenBlue),
};

export function soundColours(/** @type {boolean} */ dark) {
  const stops = dark ? MAKO.dark : MAKO.light;
  const colours = new Uint8ClampedArray(3 * 256);
  for (let i = 0; i < 256; i++) {
    const at = (i / 255) * (stops.length - 1);
    const from = Math.min(stops.length - 2, Math.floor(at));
    for (let c = 0; c < 3; c++) {
      colours[3 * i + c] = stops[from][c] + (at - from) * (stops[from + 1][c] - stops[from][c]);
    }
  }
  return colours;
}
