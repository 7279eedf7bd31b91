// Going to another moment: by clicks, drags and keys.

/** @param {import("./layout.js").Parts} parts @param {import("./session.js").Session} session
 * @param {import("./picture.js").Picture} picture @param {AbortSignal} signal */
export function onMoves({ root, stage, overview }, session, picture, signal) {
  // A click goes to the moment under it; a drag moves the picture under the playhead.
  /** @type {{x: number, time: number, isMoved: boolean} | null} */
  let held = null;
  stage.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    held = { x: event.clientX, time: session.time, isMoved: false };
    stage.setPointerCapture(event.pointerId);
  }, { signal });
  stage.addEventListener("pointermove", (event) => {
    if (!held) return;
    const far = event.clientX - held.x;
    held.isMoved ||= Math.abs(far) > 4;
    if (held.isMoved) session.seek(held.time - picture.secondsFor(far));
  }, { signal });
  stage.addEventListener("pointerup", (event) => {
    const x = event.clientX - stage.getBoundingClientRect().left;
    if (held && !held.isMoved) session.seek(picture.secondsAt(x));
    held = null;
  }, { signal });
  stage.addEventListener("pointercancel", () => (held = null), { signal });

  const scrub = (/** @type {PointerEvent} */ event) => {
    const box = overview.getBoundingClientRect();
    session.seek(((event.clientX - box.left) / box.width) * session.seconds);
  };
  overview.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    overview.setPointerCapture(event.pointerId);
    scrub(event);
  }, { signal });
  overview.addEventListener("pointermove", (event) => {
    if (overview.hasPointerCapture(event.pointerId)) scrub(event);
  }, { signal });

  root.addEventListener("keydown", (event) => {
    // Keys meant for this page are not for the notebook around it.
    event.stopPropagation();
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (target.closest("select, input, textarea")) return;
    if (event.key === " ") {
      if (target.closest("button, summary, a")) return;
      session.toggle();
    } else {
      const far = event.shiftKey ? 5 : 1;
      const { time } = session;
      /** @type {Record<string, number>} */
      const moves = { ArrowLeft: time - far, ArrowRight: time + far };
      if (target === stage) {
        Object.assign(moves, {
          ...{ ArrowDown: time - far, ArrowUp: time + far, PageDown: time - 10, PageUp: time + 10 },
          ...{ Home: 0, End: session.seconds },
        });
      }
      if (!(event.key in moves)) return;
      session.seek(moves[event.key]);
    }
    event.preventDefault();
  }, { signal });
}
