// The explanation of a control, shown while the pointer rests on it or it has the focus.

const tip = document.getElementById("tip");
let timer = null;
let owner = null;

/** Shows what `tell()` returns (nodes) for an element. */
export function explain(element, tell) {
  element.addEventListener("pointerenter", (event) => {
    if (event.pointerType === "mouse") timer = setTimeout(show, 350, element, tell);
  });
  element.addEventListener("pointerleave", () => hide(element));
  element.addEventListener("focusin", (event) => event.target.matches(":focus-visible") && show(element, tell));
  element.addEventListener("focusout", () => hide(element));
}

function show(element, tell) {
  const nodes = tell();
  if (!nodes.length) return;
  owner = element;
  tip.replaceChildren(...nodes);
  tip.hidden = false;
  const box = element.getBoundingClientRect();
  const [width, height] = [tip.offsetWidth, tip.offsetHeight];
  const beside = box.right + 12 + width < innerWidth;
  tip.style.left = `${beside ? box.right + 12 : Math.max(Math.min(box.left, innerWidth - width - 8), 8)}px`;
  const top = beside ? box.top : box.bottom + 6 + height < innerHeight ? box.bottom + 6 : box.top - height - 6;
  tip.style.top = `${Math.max(Math.min(top, innerHeight - height - 8), 8)}px`;
}

function hide(element) {
  clearTimeout(timer);
  if (owner !== null && owner !== element) return;
  if (element.contains(document.activeElement) && document.activeElement.matches(":focus-visible") && owner === element && element.matches(":focus-within") && !element.matches(":hover")) return;
  tip.hidden = true;
  owner = null;
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") tip.hidden = true;
});
document.addEventListener("scroll", () => (tip.hidden = true), { capture: true, passive: true });
