// Opened from disk, a page may not read others: Sphinx's search would complain of each of its
// finds instead of quoting it. The finds themselves need no reading.
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
