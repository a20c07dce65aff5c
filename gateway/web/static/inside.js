// The panels below an answer: the prompt as it left, the stages, the query, and what the model may know.

import { byId, count, h, withTags } from "./dom.js";

const KINDS = {
  template: "words of the template", metadata: "names and rounded statistics", question: "your question, masked",
  repair: "what was wrong with the last reply", schema: "the form of the reply",
};
const STAGES = {
  scope: "who asks, and which rows are theirs", summarise: "what may be known of the data", mask: "values and personal data taken out",
  build: "the prompt put together", scan: "the prompt read by a guard", log: "written down before it leaves", plan: "the model's answer",
  read: "the answer checked", compile: "turned into a query in scope", prove: "the scope proved by a second reader", run: "rows read, read-only",
  render: "the chart drawn",
};
const SVG = "http://www.w3.org/2000/svg";

/** Fill the panels of one answer; an answer without an explanation hides them. */
export function showInside(answer) {
  const { explain } = answer;
  for (const name of ["prompt", "stages", "query"]) byId(`panel-${name}`).hidden = !explain;
  if (!explain) return;
  prompt(explain);
  stages(explain.stages);
  byId("query").replaceChildren(
    h("p", {}, "Made from the chart's spec by the gateway. Every value, the company's own among them, is a bound parameter and is not shown."),
    explain.statement ? h("pre", { tabindex: 0 }, explain.statement) : h("p", {}, "No query ran."),
    h("p", {}, "The spec, the model's whole language:"),
    h("pre", { tabindex: 0 }, JSON.stringify(slim(answer.spec), null, 2)),
  );
}

/** A spec without what is left at its default. */
function slim(node) {
  if (Array.isArray(node)) return node.map(slim);
  if (node === null || typeof node !== "object") return node;
  const kept = Object.entries(node).filter(([, v]) => v !== null && v !== false && !(Array.isArray(v) && !v.length));
  return Object.fromEntries(kept.map(([key, value]) => [key, slim(value)]));
}

function prompt(explain) {
  const body = byId("prompt");
  if (!explain.prompt.length) {
    byId("prompt-size").textContent = "nothing";
    body.replaceChildren(h("p", {}, "Nothing: no model was asked for this chart."));
    return;
  }
  const used = new Set(explain.prompt.flatMap((message) => message.segments.map((segment) => segment.kind)));
  const size = explain.prompt.reduce((sum, m) => sum + m.segments.reduce((n, s) => n + s.text.length, 0), 0);
  byId("prompt-size").textContent = `${size.toLocaleString("en")} characters, none from a row`;
  body.replaceChildren(
    h("p", {}, explain.sends
      ? `The exact text, coloured by where it came from. It left for a model ${explain.sends === 1 ? "once" : `${explain.sends} times`}, and nothing else did.`
      : "The exact text, coloured by where it came from. For this question nothing left: a planner in this process read it, or an earlier reply was kept."),
    h("ul", { class: "legend" }, ...[...used].map((kind) => h("li", {}, h("i", { class: `seg-${kind}` }), KINDS[kind] ?? kind))),
    ...explain.prompt.map((message) => h("div", { class: "said" },
      h("h3", {}, message.role),
      h("pre", { tabindex: 0 }, ...message.segments.map((segment) => h("span", { class: `seg-${segment.kind}` }, segment.text))))),
    h("div", { class: "said" }, h("h3", {}, `the reply of ${explain.answered_by}`), h("pre", { tabindex: 0 }, pretty(explain.reply))),
  );
}

function pretty(text) {
  try { return JSON.stringify(JSON.parse(text), null, 2); } catch { return text; }
}

const milliseconds = (ms) => (ms >= 100 ? ms.toFixed(0) : ms >= 1 ? ms.toFixed(1) : ms.toFixed(2));

function stages(records) {
  const total = records.reduce((sum, record) => sum + record.ms, 0);
  const most = Math.max(...records.map((record) => record.ms), 0.001);
  byId("stages-total").textContent = `${milliseconds(total)} ms`;
  byId("stages").replaceChildren(h("ol", { class: "stage-list" }, ...records.map((record, index) => {
    const bar = document.createElementNS(SVG, "svg");
    bar.setAttribute("viewBox", "0 0 1000 4");
    bar.setAttribute("preserveAspectRatio", "none");
    bar.setAttribute("aria-hidden", "true");
    const fill = document.createElementNS(SVG, "rect");
    fill.setAttribute("width", Math.max(2, (record.ms / most) * 1000).toFixed(1));
    fill.setAttribute("height", "4");
    fill.setAttribute("rx", "2");
    fill.setAttribute("class", "stage-bar");
    bar.append(fill);
    return h("li", {}, h("span", { class: "number" }, String(index + 1)), h("span", { class: "name" }, record.name),
      h("span", { class: "says" }, record.says || STAGES[record.name] || ""), h("span", { class: "ms" }, `${milliseconds(record.ms)} ms`), bar);
  })));
}

/** Show what was masked: "2 values stayed here", and the question as it left. */
export function showStayed(answer) {
  const box = byId("stayed");
  box.hidden = !answer.masked.length;
  if (box.hidden) return;
  const values = answer.masked.filter((part) => part.kind === "value").length;
  const personal = answer.masked.length - values;
  const parts = [];
  if (values) parts.push(count(values, "value"));
  if (personal) parts.push(count(personal, "piece of personal data", "pieces of personal data"));
  box.replaceChildren(
    h("strong", {}, `${parts.join(" and ")} stayed here.`),
    h("span", { class: "masked" }, ...(answer.explain ? [answer.explain.sends ? "The model read: " : "The planner read: ", ...withTags(answer.explain.masked_question)] : [])),
  );
}

/** Show the released Summary. */
export function showSummary({ release, summary }) {
  const columns = summary.tables.reduce((sum, table) => sum + table.columns.length, 0);
  byId("summary-size").textContent = `${count(summary.tables.length, "table")}, ${count(columns, "column")}`;
  byId("summary").replaceChildren(
    h("p", {}, "All of it: names, types and statistics that were rounded or held back. No value of a row is in it, unless the database or its owner declared it as a label."),
    ...summary.tables.map((table) => h("section", { class: "known-table" },
      h("h3", {}, table.name, h("small", {}, table.rows === "few" ? "few rows" : `about ${table.rows.toLocaleString("en")} rows`)),
      h("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": `Columns of ${table.name}` }, h("table", {},
        h("thead", {}, h("tr", {}, ...["Column", "Type", "Facts"].map((t) => h("th", { scope: "col" }, t)))),
        h("tbody", {}, ...table.columns.map((column) => h("tr", {}, h("td", {}, column.name), h("td", {}, column.semantic ?? column.type), h("td", {}, ...facts(column))))))))),
    ...(summary.metrics?.length ? [h("section", { class: "known-table" }, h("h3", {}, "Metrics the owner named"),
      h("div", { class: "table-scroll", tabindex: 0, role: "region", "aria-label": "Metrics" }, h("table", {}, h("tbody", {}, ...summary.metrics.map((m) => h("tr", {}, h("td", {}, m.name), h("td", {}, `${m.aggregate}(${m.expression})`)))))))] : []),
    h("p", {}, `Release ${release.slice(0, 16)}`),
  );
}

function facts(column) {
  const said = [];
  const number = column.number ?? {};
  if (column.labels?.length) said.push(`labels: ${column.labels.map((label) => label.text).join(", ")}`);
  if (column.distinct !== "unknown") said.push(typeof column.distinct === "number" ? `about ${column.distinct.toLocaleString("en")} different` : column.distinct);
  if (column.nulls !== "unknown" && column.nulls !== "none") said.push(`${column.nulls} empty`);
  if (column.time?.first) said.push(`${column.time.first} to ${column.time.last}`);
  if (number.low !== undefined && number.low !== null) said.push(`about ${number.low.toLocaleString("en")} to ${number.high?.toLocaleString("en")}`);
  if (column.text?.pattern) said.push(column.text.pattern);
  return said.length ? said.map((fact) => h("span", { class: "fact" }, fact)) : [h("span", { class: "none" }, "nothing more")];
}
