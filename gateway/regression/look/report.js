"use strict";
(() => {
  const one = (id) => document.getElementById(id);
  const cases = [...document.querySelectorAll("details.case")];
  const texts = new Map(cases.map((item) => [item, item.textContent.toLowerCase()]));
  const show = () => {
    const words = one("words").value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const item of cases) {
      const fits = ["model", "state", "group"].every((name) => {
        const wanted = one(name).value;
        return wanted === "" || item.dataset[name] === wanted;
      }) && words.every((word) => texts.get(item).includes(word));
      item.hidden = !fits;
      count += fits ? 1 : 0;
    }
    one("count").textContent = `${count} of ${cases.length}`;
  };
  const open = () => {
    const item = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (item instanceof HTMLDetailsElement) {
      item.hidden = false;
      item.open = true;
      item.scrollIntoView();
    }
  };
  one("filters").hidden = false;
  one("theme").hidden = false;
  for (const name of ["words", "model", "state", "group"]) one(name).addEventListener("input", show);
  one("theme").addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  addEventListener("hashchange", open);
  show();
  open();
})();
