// The rows of an answer as a table, and as CSV.

import { h } from "./dom.js";

const PARTS = {
  weekday: (n) => ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"][n - 1],
  month_of_year: (n) => ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][n - 1],
  quarter_of_year: (n) => `Q${n}`,
  hour_of_day: (n) => `${String(n).padStart(2, "0")}:00`,
};
const RUNS_IN_A_SHEET = /^[\s\u00a0\ufeff]*[=+\-@\t\r\n＝＋－＠]/u;

function dimensionOf(spec, field) {
  if (field === "s") return spec.series;
  return field.startsWith("d") ? spec.dimensions?.[Number(field.slice(1)) - 1] : null;
}

function dateText(iso, grain) {
  const at = new Date(/T/.test(iso) ? `${iso.slice(0, 19)}Z` : `${iso}T00:00:00Z`);
  if (Number.isNaN(at.getTime())) return iso;
  const show = (options) => new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options }).format(at);
  if (grain === "year") return show({ year: "numeric" });
  if (grain === "quarter") return `Q${Math.floor(at.getUTCMonth() / 3) + 1} ${at.getUTCFullYear()}`;
  if (grain === "month") return show({ month: "short", year: "numeric" });
  const day = show({ day: "numeric", month: "short", year: "numeric" });
  if (grain === "week") return `Week of ${day}`;
  return grain === "hour" || (!grain && /T/.test(iso)) ? `${day} ${iso.slice(11, 16)}` : day;
}

/** One cell as a person reads it. */
export function cellText(value, column, spec, currency) {
  if (value === null) return "–";
  if (typeof value === "boolean") return value ? "Yes" : "No";
  const dimension = dimensionOf(spec, column.field);
  if (dimension?.part && PARTS[dimension.part]) return PARTS[dimension.part](value) ?? String(value);
  if (column.type === "date" || column.type === "datetime") return dateText(String(value), dimension?.grain);
  if (typeof value !== "number") return String(value);
  if (column.role !== "measure") return dimension?.bin?.width ? `${value} to ${value + dimension.bin.width}` : String(value);
  if (column.format === "percent") return value.toLocaleString("en", { style: "percent", maximumFractionDigits: 2 });
  if (column.format === "currency" && currency) {
    return value.toLocaleString("en", { style: "currency", currency, currencyDisplay: "narrowSymbol" });
  }
  const places = column.format === "currency" ? { minimumFractionDigits: 2, maximumFractionDigits: 2 } : { maximumFractionDigits: 4 };
  return value.toLocaleString("en", places);
}

const isNumber = (column) => column.type === "number" && column.role === "measure";
const MOST_ROWS = 1000;

/** The table of an answer. */
export function tableOf(answer, currency) {
  const { columns, rows } = answer.table;
  const head = h("tr", {}, ...columns.map((c) => h("th", { scope: "col", class: isNumber(c) ? "num" : null }, c.title)));
  const body = rows.slice(0, MOST_ROWS).map((row) => h("tr", {}, ...row.map((value, i) => {
    const text = cellText(value, columns[i], answer.spec, currency);
    return h("td", { class: isNumber(columns[i]) ? "num" : value === null ? "none" : null, title: text.length > 40 ? text : null }, text);
  })));
  if (!body.length) body.push(h("tr", {}, h("td", { colspan: columns.length || 1, class: "none" }, "No rows match.")));
  if (rows.length > MOST_ROWS) {
    body.push(h("tr", {}, h("td", { colspan: columns.length, class: "none" }, `… and ${(rows.length - MOST_ROWS).toLocaleString("en")} more: download the CSV`)));
  }
  return h("table", {}, h("caption", { class: "sr" }, answer.sentence), h("thead", {}, head), h("tbody", {}, ...body));
}

/** RFC 4180 CSV. Text that a spreadsheet would run gets an apostrophe (OWASP, CSV Injection). */
export function csvOf(answer) {
  const quoted = (text) => `"${(RUNS_IN_A_SHEET.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  const cell = (value) => (value === null ? "" : typeof value === "string" ? quoted(value)
    : typeof value === "number" ? String(Number(value.toPrecision(15))) : String(value));
  const lines = [answer.table.columns.map((c) => quoted(c.title)), ...answer.table.rows.map((row) => row.map(cell))];
  return `${lines.map((line) => line.join(",")).join("\r\n")}\r\n`;
}
