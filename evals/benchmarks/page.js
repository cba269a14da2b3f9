"use strict";
// Values by the pointer: the browser's own tips come late and small, so they are taken over where scripts run.
const tip = document.getElementById("tip");
for (const hit of document.querySelectorAll("svg .hit")) {
  const title = hit.querySelector("title");
  const text = title.textContent;
  title.remove();
  hit.setAttribute("aria-label", text);
  const mark = hit.ownerSVGElement.querySelector(".mark");
  const { x, y } = hit.dataset;
  hit.addEventListener("pointerenter", () => {
    mark.innerHTML = `<line x1="${x}" x2="${x}" y1="10" y2="104"/><circle cx="${x}" cy="${y}" r="4.6"/>`;
    tip.textContent = text;
    tip.hidden = false;
  });
  hit.addEventListener("pointermove", (event) => {
    const right = event.clientX + 16 + tip.offsetWidth > innerWidth;
    tip.style.left = `${right ? event.clientX - tip.offsetWidth - 14 : event.clientX + 16}px`;
    tip.style.top = `${Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 6)}px`;
  });
  hit.addEventListener("pointerleave", () => {
    mark.replaceChildren();
    tip.hidden = true;
  });
}
