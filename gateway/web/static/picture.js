// Puts the server's SVG on the page, and lets a reader point at its marks by mouse, touch or arrow keys.

import { h } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
const ELEMENTS = new Set(["svg", "g", "path", "text", "tspan", "line", "rect", "circle", "defs", "clipPath", "linearGradient", "stop"]);
const ATTRIBUTES = new Set([
  "d", "x", "y", "x1", "y1", "x2", "y2", "dx", "dy", "cx", "cy", "r", "rx", "ry", "width", "height", "viewBox", "transform", "fill",
  "fill-opacity", "stroke", "stroke-width", "stroke-opacity", "stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "stroke-dasharray",
  "opacity", "display", "class", "id", "clip-path", "offset", "stop-color", "text-anchor", "font-family", "font-size", "font-weight",
  "font-style", "pointer-events", "role", "aria-label", "aria-hidden", "aria-roledescription",
]);
const LOCAL = /^url\(#[\w-]+\)$/;

/** A copy of an SVG document that holds known elements and attributes only, and refers to nothing outside itself. */
export function readSvg(text) {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
  if (parsed.localName !== "svg" || parsed.namespaceURI !== SVG) throw new Error("not a picture");
  return copy(parsed);
}

function copy(node) {
  const made = document.createElementNS(SVG, node.localName);
  for (const { name, value } of node.attributes) {
    if (!ATTRIBUTES.has(name)) continue;
    if (value.includes("url(") && !LOCAL.test(value)) continue;
    made.setAttribute(name, value);
  }
  for (const child of node.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) made.append(child.data);
    else if (child.nodeType === Node.ELEMENT_NODE && child.namespaceURI === SVG && ELEMENTS.has(child.localName)) made.append(copy(child));
  }
  return made;
}

/** Fit the picture's window to what is drawn, once its title is gone. The picture must be visible. */
function crop(picture) {
  const box = picture.getBBox();
  if (!(box.width > 0 && box.height > 0)) return;
  const edge = 6;
  const width = Math.ceil(box.width + 2 * edge);
  const height = Math.ceil(box.height + 2 * edge);
  picture.setAttribute("viewBox", `${box.x - edge} ${box.y - edge} ${width} ${height}`);
  const grow = width < 480 ? 1 : 1.2;
  picture.setAttribute("width", Math.round(width * grow));
  picture.setAttribute("height", Math.round(height * grow));
}

/** Show a picture in a figure; `say` speaks a mark's words to a screen reader. */
export class Picture {
  #figure; #bubble; #say; #marks = []; #at = -1;

  constructor(figure, bubble, say) {
    this.#figure = figure;
    this.#bubble = bubble;
    this.#say = say;
    figure.addEventListener("pointermove", (event) => this.#hover(event));
    figure.addEventListener("pointerdown", (event) => this.#hover(event));
    figure.addEventListener("pointerleave", () => this.#leave());
    figure.addEventListener("blur", () => this.#leave());
    figure.addEventListener("keydown", (event) => this.#key(event));
  }

  show(svg, description) {
    this.#leave();
    this.#at = -1;
    const picture = readSvg(svg);
    // The page says the sentence itself and has its own background; downloads keep the picture's.
    for (const extra of picture.querySelectorAll(":scope > rect, g.role-title")) extra.remove();
    picture.setAttribute("aria-hidden", "true");
    this.#marks = [...picture.querySelectorAll('[role="graphics-symbol"][aria-label]')]
      .filter((mark) => !mark.closest("g.role-legend, g.role-axis, g.role-title") && mark.getAttribute("aria-label").includes(":"));
    const hint = this.#marks.length ? ` Use the arrow keys to hear ${this.#marks.length} values one by one.` : "";
    this.#figure.setAttribute("role", "application");
    this.#figure.setAttribute("aria-roledescription", "chart");
    this.#figure.setAttribute("aria-label", `${description}${hint}`);
    this.#figure.replaceChildren(picture);
    crop(picture);
    // A wide one (a heat map of many columns) is scrolled rather than shrunk until nobody can read it.
    picture.classList.toggle("wide", Number(picture.getAttribute("width")) > 1.35 * this.#figure.clientWidth);
  }

  #hover(event) {
    const mark = event.target.closest?.('[role="graphics-symbol"][aria-label]');
    if (mark && this.#marks.includes(mark)) this.#point(mark, event.clientX, event.clientY);
    else this.#leave();
  }

  #key(event) {
    const last = this.#marks.length - 1;
    const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
    if (last < 0) return;
    if (event.key === "Escape") { this.#leave(); return; }
    if (event.key === "Home") this.#at = 0;
    else if (event.key === "End") this.#at = last;
    else if (event.key in steps) this.#at = Math.min(last, Math.max(0, this.#at + steps[event.key]));
    else return;
    event.preventDefault();
    const mark = this.#marks[this.#at];
    const box = mark.getBoundingClientRect();
    this.#point(mark, box.x + box.width / 2, box.y + Math.min(box.height / 2, 24));
    this.#say(mark.getAttribute("aria-label"));
  }

  #point(mark, x, y) {
    if (!mark.classList.contains("at")) {
      this.#clear();
      mark.classList.add("at");
      this.#bubble.replaceChildren(...mark.getAttribute("aria-label").split("; ").map((line) => {
        const cut = line.indexOf(": ");
        return h("div", {}, h("span", {}, line.slice(0, cut)), h("b", {}, line.slice(cut + 2)));
      }));
      this.#bubble.hidden = false;
    }
    const { width, height } = this.#bubble.getBoundingClientRect();
    const left = Math.min(window.innerWidth - width - 8, Math.max(8, x + 14));
    const top = y - height - 14 < 8 ? y + 18 : y - height - 14;
    // Set through the object model, which the page's policy allows; inline style text it does not.
    this.#bubble.style.left = `${left}px`;
    this.#bubble.style.top = `${top}px`;
  }

  #clear() { for (const mark of this.#marks) mark.classList.remove("at"); }

  #leave() {
    this.#clear();
    this.#bubble.hidden = true;
  }
}
