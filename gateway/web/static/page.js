// The page: a question goes to the gateway, a chart comes back, and everything that happened can be looked at.

import { Gateway, Trouble } from "./api.js";
import { byId, count, h } from "./dom.js";
import { download } from "./download.js";
import { showInside, showStayed, showSummary } from "./inside.js";
import { Picture } from "./picture.js";
import { Progress } from "./progress.js";
import { tableOf } from "./table.js";

const HINTS = {
  unanswerable: "Try other words, or open “What the model may know” to see what there is.",
  question_refused: "Leave out the secret or personal part and ask again. Nothing was sent.",
  prompt_refused: "A guard stopped the prompt before it left. Nothing was sent.",
  scan_unfinished: "A guard could not finish, so nothing was sent. Try again.",
  index_stale: "The data could not be read anew, so nothing was sent. Try again in a moment.",
  audit_unavailable: "What cannot be written down is not sent. Nothing was sent.",
  scope_refused: "The question reaches outside this company's data.",
  query_timeout: "The database took too long. Ask for a shorter time or fewer groups.",
  query_limit: "The answer is too large. Ask for fewer groups or the top ten.",
  model_failed: "The model could not be reached. Try again in a moment.",
  model_timeout: "The model took too long. Try again in a moment.",
  reply_invalid: "The model's answer was no chart. Try other words.",
  spec_invalid: "The model's answer does not fit the data. Try other words.",
  offline: "Is the gateway still running? Start it again and reload this page.",
  unauthorized: "The session has ended. Reload this page.",
};
const gateway = new Gateway();
const say = (text) => { byId("status").textContent = text; };
const picture = new Picture(byId("chart"), byId("point"), say);
const progress = new Progress(say);
const state = { answer: null, currency: null, readings: [], working: null };

// ---- asking

async function ask(question) {
  const text = question.trim();
  if (!text || byId("send").disabled) return;
  const context = byId("follow").checked && state.answer ? state.answer.context : null;
  await work(`Working on: ${text}`, async (signal) => {
    const answer = await gateway.ask(text, context, signal, (step) => { if (!signal.aborted) progress.show(step); });
    state.readings = answer.ambiguous && answer.alternatives.length
      ? [{ sentence: answer.sentence, context: answer.context }, ...answer.alternatives] : [];
    show(answer);
  });
}

async function choose(reading) {
  await work(`Drawing: ${reading.sentence}`, async (signal) => show(await gateway.run(reading.context, signal)));
}

async function work(label, task) {
  state.working?.abort();
  const mine = new AbortController();
  state.working = mine;
  progress.clear(label);
  busy(true);
  say(label);
  byId("trouble").hidden = true;
  try {
    await task(mine.signal);
  } catch (error) {
    if (state.working !== mine) return;
    if (error.name === "AbortError") say("Stopped.");
    else trouble(error);
  } finally {
    if (state.working === mine) {
      state.working = null;
      busy(false);
    }
  }
}

function busy(on) {
  byId("waiting").hidden = !on;
  byId("stop").hidden = !on;
  byId("send").hidden = on;
  byId("answer").hidden = on || !state.answer;
  byId("main").setAttribute("aria-busy", String(on));
}

// ---- showing

function show(answer) {
  state.answer = answer;
  byId("earlier").hidden = true;
  byId("sentence").textContent = answer.sentence;
  byId("notes").replaceChildren(...answer.notes.map((note) => h("li", {}, note)));
  byId("notes").hidden = !answer.notes.length;
  showStayed(answer);
  choices(answer);
  byId("table").replaceChildren(tableOf(answer, state.currency));
  byId("answer").hidden = false;
  tab("chart");
  try {
    picture.show(answer.svg, answer.vega_lite?.description ?? answer.sentence);
    if (answer.spec.mark === "table") tab("table");
  } catch {
    byId("chart").replaceChildren(h("p", {}, "The chart could not be drawn here; the table has its rows."));
    tab("table");
  }
  showInside(answer);
  byId("refining").hidden = false;
  byId("follow").checked = false;
  busy(false);
  const rows = answer.table.rows.length;
  say(`${answer.sentence}. ${rows ? count(rows, "row") : "No rows match"}.`);
  byId("sentence").focus({ preventScroll: true });
  byId("answer").scrollIntoView({ block: "nearest" });
}

function choices(answer) {
  const box = byId("choices");
  box.hidden = state.readings.length < 2;
  if (box.hidden) return;
  box.replaceChildren(h("p", { id: "choices-title" }, "This can be read in more than one way. Which did you mean?"),
    ...state.readings.map((reading) => h("button", {
      type: "button", "aria-pressed": String(reading.sentence === answer.sentence), onclick: () => choose(reading),
    }, reading.sentence)));
}

function trouble(error) {
  const known = error instanceof Trouble;
  byId("earlier").hidden = !state.answer;
  const code = known ? error.code : "page";
  const box = byId("trouble");
  const sentence = known ? error.message : "this page could not show the answer";
  const asks = ["unanswerable", "ambiguous", "question_empty"].includes(code);
  box.classList.toggle("ask-more", asks);
  const options = Array.isArray(error.details?.choices) ? error.details.choices.map(String) : [];
  const parts = [
    h("h2", { id: "trouble-title" }, asks ? "That cannot be answered as it stands" : "No chart this time"),
    h("p", {}, `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`),
    HINTS[code] ? h("p", {}, HINTS[code]) : null,
    options.length ? h("p", {}, `It could mean: ${options.join("; ")}.`) : null,
    h("p", { class: "small" }, [`Code ${code}`, error.requestId ? `request ${error.requestId}` : ""].filter(Boolean).join(", ")),
  ];
  box.replaceChildren(...parts.filter(Boolean));
  box.hidden = false;
  say("");
}

function tab(name) {
  for (const each of ["chart", "table"]) {
    const on = each === name;
    byId(`tab-${each}`).setAttribute("aria-selected", String(on));
    byId(`tab-${each}`).tabIndex = on ? 0 : -1;
    byId(`view-${each}`).hidden = !on;
  }
}

// ---- who asks

async function enter(tenant) {
  state.working?.abort();
  state.working = null;
  state.answer = null;
  state.readings = [];
  byId("answer").hidden = true;
  byId("trouble").hidden = true;
  byId("refining").hidden = true;
  byId("waiting").hidden = true;
  for (const name of ["prompt", "stages", "query"]) byId(`panel-${name}`).hidden = true;
  byId("summary").replaceChildren();
  byId("send").disabled = true;
  try {
    await gateway.enter(tenant);
    byId("send").disabled = false;
    say(`You are signed in as ${tenant}.`);
    const known = await gateway.summary();
    if (byId("tenant").value !== tenant) return;
    state.currency = known.summary.currency ?? null;
    showSummary(known);
  } catch (error) {
    trouble(error);
  }
}

/** Example questions: the first few, and the others behind a button. */
function examples(questions, shown = 6) {
  const buttons = questions.slice(0, shown).map((question) => h("button", {
    type: "button",
    onclick: () => { byId("question").value = question; grow(); ask(question); },
  }, question));
  const more = questions.length > shown ? h("button", {
    type: "button", class: "more", onclick: () => { examples(questions, questions.length); byId("examples").children[shown].focus(); },
  }, `${questions.length - shown} more`) : null;
  byId("examples").replaceChildren(...[...buttons, more].filter(Boolean));
}

// ---- colours

const THEMES = ["auto", "light", "dark"];
const THEME_WORDS = { auto: "as the system", light: "light", dark: "dark" };

function theme(name) {
  if (name === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = name;
  byId("theme").setAttribute("aria-label", `Colours: ${THEME_WORDS[name]}`);
  byId("theme").title = `Colours: ${THEME_WORDS[name]}`;
  try { localStorage.setItem("rowless-theme", name); } catch { /* a browser that keeps nothing */ }
}

function storedTheme() {
  try { return THEMES.includes(localStorage.getItem("rowless-theme")) ? localStorage.getItem("rowless-theme") : "auto"; } catch { return "auto"; }
}

// ---- wiring

/** Make the question's box as high as its words. */
function grow() {
  const box = byId("question");
  box.style.height = "auto";
  box.style.height = `${Math.min(box.scrollHeight, 144)}px`;
}

function wire() {
  const box = byId("question");
  box.addEventListener("input", grow);
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      ask(box.value);
    }
  });
  byId("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    ask(box.value);
  });
  byId("stop").addEventListener("click", () => state.working?.abort());
  byId("tenant").addEventListener("change", (event) => enter(event.target.value));
  for (const name of ["chart", "table"]) byId(`tab-${name}`).addEventListener("click", () => tab(name));
  document.querySelector('[role="tablist"]').addEventListener("keydown", (event) => {
    if (!["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
    const next = byId("tab-chart").getAttribute("aria-selected") === "true" ? "table" : "chart";
    tab(next);
    byId(`tab-${next}`).focus();
    event.preventDefault();
  });
  for (const button of document.querySelectorAll("[data-download]")) {
    button.addEventListener("click", () => download(state.answer, button.dataset.download).catch(trouble));
  }
  let chosen = storedTheme();
  theme(chosen);
  byId("theme").addEventListener("click", () => {
    chosen = THEMES[(THEMES.indexOf(chosen) + 1) % THEMES.length];
    theme(chosen);
    say(`Colours: ${THEME_WORDS[chosen]}`);
  });
}

async function start() {
  wire();
  try {
    const { tenants, questions } = await gateway.facts();
    const select = byId("tenant");
    select.replaceChildren(...tenants.map((name) => h("option", { value: name }, name.charAt(0).toUpperCase() + name.slice(1))));
    select.disabled = false;
    examples(questions);
    await enter(tenants[0]);
  } catch (error) {
    trouble(error);
  }
}

start();
