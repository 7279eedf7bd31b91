// Opened from disk, a page may not read others: Sphinx's search would complain of each of its
// finds instead of quoting it. The finds themselves need no reading.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// What is live on a page comes as scripts, which a page opened from disk may load, too.
document.addEventListener("DOMContentLoaded", () => {
  const files = `${document.documentElement.dataset.content_root}_static/`;
  const add = (name) => {
    const script = document.createElement("script");
    script.src = files + name;
    document.head.append(script);
  };
  if (document.querySelector(".songnet-recording")) add("recordings.js");
  const listening = document.querySelectorAll(".songnet-page");
  for (const place of listening) {
    place.replaceChildren();
    place.dataset.base = `${files}songnet/`;
  }
  if (listening.length) add("songnet/songnet.js");
});

// A plot is as wide as the column; a press shows it as large as it is.
const enlarge = (img) => {
  const button = document.createElement("button");
  button.className = "enlarge";
  button.title = "Enlarge";
  img.replaceWith(button);
  button.append(img);
  button.addEventListener("click", () => {
    const dialog = document.createElement("dialog");
    dialog.className = "enlarged";
    dialog.ariaLabel = img.alt;
    dialog.tabIndex = 0;
    dialog.append(img.cloneNode());
    dialog.addEventListener("click", () => dialog.close());
    // The theme keeps Escape for its search.
    dialog.addEventListener("keydown", ({ key }) => key === "Escape" && dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  });
};

// pandas gives the names of rows a line of their own in the head, and no column a class.
const tidy = (table) => {
  const [first, second] = table.tHead?.rows ?? [];
  const empty = (cell) => !cell.textContent.trim();
  const pairs = [...(second?.cells ?? [])].map((cell, at) => [first.cells[at], cell]);
  if (second && pairs.every(([above, below]) => above && (empty(above) || empty(below)))) {
    for (const [above, below] of pairs) if (empty(above)) above.textContent = below.textContent;
    second.remove();
  }
  // A name such as recall_low may go on in the next line.
  for (const head of table.tHead?.querySelectorAll("th") ?? [])
    head.innerHTML = head.innerHTML.replaceAll("_", "_<wbr>");
  const rows = [...(table.tBodies[0]?.rows ?? [])];
  const columns = rows[0]?.cells.length;
  const isNumber = (cell) => /^([-−+±]?[\d.][^a-z]*|NaN|–|\.\.\.)?$/i.test(cell.textContent.trim());
  rows[0]?.querySelectorAll("td").forEach(({ cellIndex }) => {
    const fromRight = cellIndex - columns;
    const cells = rows.map((row) => row.cells[row.cells.length + fromRight]);
    if (!cells.every((cell) => cell && isNumber(cell))) return;
    const heads = [...(table.tHead?.rows ?? [])].map((row) => row.cells[row.cells.length + fromRight]);
    for (const cell of [...heads, ...cells]) cell?.classList.add("number");
  });
  const frame = table.parentElement;
  frame.classList.toggle("too-wide", frame.scrollWidth > frame.clientWidth);
};

document.addEventListener("DOMContentLoaded", () => {
  const own = (place) => !place.closest(".songnet-recording, .sw-widget");
  [...document.querySelectorAll(".cell_output img")].filter(own).forEach(enlarge);
  [...document.querySelectorAll(".cell_output table")].filter(own).forEach(tidy);
});
