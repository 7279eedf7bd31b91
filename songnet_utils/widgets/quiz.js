// A quiz on a page without Python: it asks and counts as KernelQuiz does in the notebook.

function render({ model, el }) {
  const questions = model.get("questions");
  const scores = model.get("scores"); // in words, by how many were answered and how many right
  const root = piece("quiz");
  const [title, sounds, choices, verdict, next] = root.children;
  let answered = 0;
  let right = 0;

  function ask() {
    const question = questions[answered];
    title.innerHTML = question.title;
    sounds.innerHTML = question.sounds;
    verdict.replaceChildren();
    next.disabled = true;
    choices.replaceChildren(
      ...question.choices.map((choice, number) => {
        const button = html`<button type="button" class="sw-button">${choice}</button>`;
        button.addEventListener("click", () => answer(question, number));
        return button;
      }),
    );
  }

  function answer(question, choice) {
    const is = choice === question.right;
    answered += 1;
    right += Number(is);
    for (const [number, button] of [...choices.children].entries()) {
      button.disabled = true;
      button.classList.toggle("se-right", number === question.right);
      button.classList.toggle("se-wrong", number === choice && !is);
    }
    const said = is ? "Right." : `No: ${question.choices[question.right]}.`;
    verdict.append(html`<p><b>${said}</b> ${question.was} ${scores[answered - 1][right]}</p>`);
    verdict.insertAdjacentHTML("beforeend", question.credits);
    next.disabled = answered === questions.length;
    if (!next.disabled) next.focus();
  }

  next.addEventListener("click", () => {
    ask();
    choices.firstElementChild.focus();
  });
  el.append(root);
  ask();
}

export default { render };
