// How far a question is: the twelve stages as one bar, and a sentence on the one that is being worked on.

import { byId, count, h } from "./dom.js";

const STAGES = ["scope", "summarise", "mask", "build", "scan", "log", "plan", "read", "compile", "prove", "run", "render"];
const DOING = {
  scope: "Looking up whose rows may be read", summarise: "Finding out what may be known of the data",
  mask: "Taking values and personal data out of the question", build: "Putting the prompt together",
  scan: "Reading the prompt before it leaves", log: "Writing down what is about to leave", plan: "Waiting for the model",
  read: "Checking the model's answer", compile: "Making a query of it", prove: "Proving that the query stays in scope",
  run: "Reading the rows", render: "Drawing the chart",
};
const SPOKEN_AFTER_MS = 1500;

/** Shows the steps of one question in the waiting card. */
export class Progress {
  #dots = new Map(STAGES.map((stage) => [stage, h("li", {})]));
  #say;
  #spoken = 0;
  #round = 1;

  constructor(say) { this.#say = say; }

  /** Begin anew, with a sentence until the first step. */
  clear(text) {
    this.#spoken = performance.now();
    this.#round = 1;
    for (const dot of this.#dots.values()) dot.className = "";
    byId("progress-bar").replaceChildren(...this.#dots.values());
    byId("progress-says").textContent = text;
  }

  /** Show one step; a stage that begins again is a further round, and all after it are undone. */
  show({ stage, state, done = 0, of = 0, attempt = 1 }) {
    const dot = this.#dots.get(stage);
    if (!dot) return;
    if (state === "begun") {
      if (dot.className === "done") {
        this.#round += 1;
        for (const later of STAGES.slice(STAGES.indexOf(stage))) this.#dots.get(later).className = "";
      }
      dot.className = "now";
    } else if (state !== "working") {
      dot.className = state === "ended" ? "done" : "stopped";
      return;
    }
    const parts = [DOING[stage]];
    if (state === "working" && of) parts.push(`${done} of ${count(of, "table")}`);
    else if (state === "working") parts[0] = `The model is answering: ${count(done, "token")} so far`;
    if (attempt > 1) parts.push(`send ${attempt}`);
    if (this.#round > 1 && stage === "plan") parts.push("mending its first answer");
    const text = parts.join(", ");
    byId("progress-says").textContent = text;
    // Spoken only when it takes long: twelve stages in thirty milliseconds are noise to a screen reader.
    if (performance.now() - this.#spoken > SPOKEN_AFTER_MS) {
      this.#spoken = performance.now();
      this.#say(text);
    }
  }
}
