"use strict";
// Filters by state, tag and words; without scripts every scenario is shown.
const filters = document.getElementById("filters");
const cards = [...document.querySelectorAll("#list > .scenario")];
const tag = document.getElementById("tag");
const words = document.getElementById("words");
let state = "";
function show() {
  const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const card of cards) {
    const fits = (!state || card.dataset.state === state)
      && (!tag.value || card.dataset.tags.split(" ").includes(tag.value))
      && wanted.every((word) => card.dataset.words.includes(word));
    card.hidden = !fits;
    shown += fits ? 1 : 0;
  }
  document.getElementById("none").hidden = shown > 0;
}
for (const button of filters.querySelectorAll("button")) {
  button.addEventListener("click", () => {
    state = button.dataset.state;
    for (const other of filters.querySelectorAll("button")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    show();
  });
}
tag.addEventListener("change", show);
words.addEventListener("input", show);
filters.hidden = false;
// The last picture of a scenario stands small in its line, too; its bytes are in the page only once.
for (const card of cards) {
  const place = document.createElement("span");
  place.className = "thumb";
  const pictures = card.querySelectorAll("figure:not(.film) img");
  const last = pictures[pictures.length - 1] ?? card.querySelector("figure img");
  if (last) {
    const small = new Image();
    small.src = last.src;
    small.alt = "";
    place.append(small);
  }
  card.firstElementChild.firstElementChild.after(place);
}
document.getElementById("list").classList.add("thumbs");
// A link to a scenario opens it.
function open() {
  const card = location.hash.startsWith("#s-") ? document.getElementById(location.hash.slice(1)) : null;
  if (card) {
    card.hidden = false;
    card.open = true;
    card.scrollIntoView();
  }
}
addEventListener("hashchange", open);
open();
