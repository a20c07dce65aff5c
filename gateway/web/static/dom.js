// Builds elements. Text is only ever set as text: nothing on this page is parsed as HTML.

/** Make an element: attributes by name, `on…` functions as listeners, children as nodes or text. */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export const byId = (id) => document.getElementById(id);

/** Text with its placeholders (⟨v1: orders.status⟩) marked. */
export function withTags(text) {
  return text.split(/(⟨[^⟩]*⟩)/u).filter(Boolean)
    .map((piece) => (piece.startsWith("⟨") ? h("span", { class: "tag" }, piece.slice(1, -1)) : piece));
}

export const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
