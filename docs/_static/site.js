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
