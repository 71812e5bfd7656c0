// The explanation of a control, shown while the pointer rests on it or the focus comes to it by keys.

const tip = document.getElementById("tip");
let timer = null;
let owner = null;
let byKeys = true; // whether the focus moves by keys, not by the pointer

/** Shows what `tell()` returns (nodes) for an element. */
export function explain(element, tell) {
  element.addEventListener("pointerenter", (event) => {
    if (event.pointerType === "mouse") timer = setTimeout(show, 350, element, tell);
  });
  element.addEventListener("pointerleave", () => hide(element));
  element.addEventListener("focusin", () => byKeys && show(element, tell));
  element.addEventListener("focusout", () => hide(element));
}

/** Beside the element, or below or above it where there is no room. */
function show(element, tell) {
  const nodes = tell();
  if (!nodes.length) return;
  owner = element;
  tip.replaceChildren(...nodes);
  tip.hidden = false;
  const box = element.getBoundingClientRect();
  const [width, height] = [tip.offsetWidth, tip.offsetHeight];
  const beside = box.right + 12 + width < innerWidth;
  const below = box.bottom + 6 + height < innerHeight;
  const top = beside ? box.top : below ? box.bottom + 6 : box.top - height - 6;
  tip.style.left = `${beside ? box.right + 12 : Math.max(Math.min(box.left, innerWidth - width - 8), 8)}px`;
  tip.style.top = `${Math.max(Math.min(top, innerHeight - height - 8), 8)}px`;
}

function hide(element) {
  clearTimeout(timer);
  if (element !== undefined && owner !== element) return;
  tip.hidden = true;
  owner = null;
}

document.addEventListener("keydown", (event) => (event.key === "Escape" ? hide() : (byKeys = true)), true);
document.addEventListener("pointerdown", () => {
  byKeys = false;
  hide();
}, true);
document.addEventListener("input", () => hide(), true);
document.addEventListener("scroll", () => hide(), { capture: true, passive: true });
