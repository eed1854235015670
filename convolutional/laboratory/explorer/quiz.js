/* quiz.js - the questions with their explanations and a score, and the exercises. */
"use strict";

const Quiz = (() => {
  const { byId, make } = Elements;
  let given = [];

  function showScore() {
    const answered = given.filter((answer) => answer !== null).length, right = given.filter((answer, k) => answer === Questions.quiz[k].right).length;
    byId("score").textContent = answered ? `${right} right of ${answered} answered, ${given.length} questions in all.` : `${given.length} questions. The first answer counts.`;
  }

  function lookButton(row) {
    const button = make("button", { type: "button" }, "Show me in the figures");
    button.addEventListener("click", () => Curves.look(row.look, row.at));
    return button;
  }

  /* The first answer counts; what is right is said in words as well as by colour. */
  function answer(k, choice, box, said) {
    const question = Questions.quiz[k], right = choice === question.right;
    given[k] = choice;
    box.querySelectorAll("input").forEach((input, i) => {
      input.disabled = true;
      input.parentElement.classList.toggle("right", i === question.right);
      input.parentElement.classList.toggle("wrong", i === choice && !right);
    });
    said.replaceChildren(make("strong", {}, right ? "Right. " : `Not so: ${question.answers[question.right]}. `), question.why, " ", lookButton(question));
    said.tabIndex = -1;
    said.focus();
    showScore();
  }

  /* The choice by arrow keys passes over answers: only the button, or Enter, gives one. */
  function card(question, k) {
    const said = make("div", { className: "why", role: "status" }), button = make("button", { type: "submit" }, "Answer");
    const box = make("form", { className: "question" }, make("fieldset", {}, make("legend", {}, `${k + 1}. ${question.ask}`),
      ...question.answers.map((text, i) => make("label", { className: "check", htmlFor: `answer-${k}-${i}` },
        make("input", { type: "radio", name: `question-${k}`, id: `answer-${k}-${i}`, value: String(i), required: true }), " ", text))), button, said);
    box.addEventListener("submit", (event) => {
      event.preventDefault();
      const chosen = box.querySelector("input:checked");
      if (!chosen || given[k] !== null)
        return;
      button.hidden = true;
      answer(k, Number(chosen.value), box, said);
    });
    return box;
  }

  function begin() {
    given = Questions.quiz.map(() => null);
    byId("questions").replaceChildren(...Questions.quiz.map(card));
    showScore();
  }

  /* ---- exercises ---- */

  function exercise(row) {
    const more = make("div", { className: "buttons" });
    if (row.formula) {
      const button = make("button", { type: "button" }, "Put a formula into the box");
      button.addEventListener("click", () => Typed.use(row.formula));
      more.append(button);
    }
    if (row.look)
      more.append(lookButton(row));
    if (row.experiment && Experiments.has(row.experiment))
      more.append(make("a", { href: `#experiment-${row.experiment}` }, "To the experiment"));
    return make("li", {}, make("p", {}, row.task), more, make("details", {}, make("summary", {}, "An answer"), make("p", {}, row.answer)));
  }

  function start() {
    byId("again").addEventListener("click", () => { begin(); byId("quiz").scrollIntoView(); });
    begin();
    byId("exercise-list").append(make("ol", {}, ...Questions.exercises.map(exercise)));
  }

  return { start };
})();
