// You can drop songs anywhere on the document. Without this, the browser would open them.

/** @param {Drops} drops @param {AbortSignal} signal */
export function onDrop({ over, drop }, signal) {
  // Escape ends a drag without an event, but dragover repeats for as long as the drag lasts.
  let timer = 0;
  const show = () => {
    over(true);
    clearTimeout(timer);
    timer = window.setTimeout(over, 400, false);
  };
  const act = (/** @type {DragEvent} */ event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    if (event.type !== "drop") return show();
    event.stopPropagation();
    clearTimeout(timer);
    over(false);
    drop([...event.dataTransfer.files]);
  };
  for (const kind of /** @type {const} */ (["dragenter", "dragover", "drop"])) {
    document.addEventListener(kind, act, { signal, capture: true });
  }
}
