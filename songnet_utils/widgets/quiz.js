// A quiz: it requests each question from Python or a recording. Python puts common.js before it.

function render({ model, el }) {
  const root = piece("quiz");
  const [title, sounds, choices, verdict, next] = root.children;
  const answers = []; // the number of the choice for each question
  let right = 0;
  const ask = () => model.send({ kind: "question", number: answers.length });

  function show(question) {
    if (question.number !== answers.length) return;
    title.replaceChildren(html`<b>${question.title}</b>`, ` ${question.asks}`);
    sounds.innerHTML = question.sounds;
    verdict.replaceChildren();
    next.disabled = true;
    choices.replaceChildren(
      ...question.choices.map((choice, place) => {
        const button = html`<button type="button" class="sw-button">${choice}</button>`;
        button.addEventListener("click", () => answer(question, place));
        return button;
      }),
    );
    if (answers.length) choices.firstElementChild.focus();
  }

  function answer(question, choice) {
    const is = choice === question.right;
    answers.push(choice);
    model.set("answers", [...answers]);
    model.save_changes();
    right += Number(is);
    for (const [place, button] of [...choices.children].entries()) {
      button.disabled = true;
      button.classList.toggle("se-right", place === question.right);
      button.classList.toggle("se-wrong", place === choice && !is);
    }
    const said = is ? "Right." : `No, the answer is ${question.choices[question.right]}.`;
    const end = question.last ? "That was the last question." : "";
    verdict.append(html`<p><b>${said}</b> ${question.was} ${question.scores[right]} ${end}</p>`);
    verdict.insertAdjacentHTML("beforeend", question.credits);
    next.disabled = question.last;
    if (!next.disabled) next.focus();
  }

  next.addEventListener("click", ask);
  model.on("msg:custom", show);
  el.append(root);
  ask();
  return () => model.off("msg:custom", show);
}

export default { render };
