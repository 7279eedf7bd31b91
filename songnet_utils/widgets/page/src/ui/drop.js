// Songs may be dropped anywhere on the document. Without this the browser would open them.

const holdsFiles = (/** @type {Event} */ event) => {
  const { dataTransfer } = /** @type {DragEvent} */ (event);
  return dataTransfer?.types.includes("Files") ?? false;
};

/** @param {{over: (isOver: boolean) => void, drop: (files: File[]) => void}} act
 * @param {AbortSignal} signal */
export function onDrop({ over, drop }, signal) {
  // A drag tells nothing when it leaves the window with Escape; it repeats itself while it is here.
  let timer = 0;
  const show = () => {
    over(true);
    clearTimeout(timer);
    timer = window.setTimeout(over, 400, false);
  };
  const options = { signal, capture: true };
  for (const kind of ["dragenter", "dragover"]) {
    document.addEventListener(kind, (event) => {
      if (!holdsFiles(event)) return;
      event.preventDefault();
      show();
    }, options);
  }
  document.addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    event.stopPropagation();
    clearTimeout(timer);
    over(false);
    drop([...(event.dataTransfer?.files ?? [])]);
  }, options);
}
