// Colours for canvases, read from the style sheet, and the switch between dark and light.

import { say } from "./dom.js";

const probe = document.createElement("span");
probe.hidden = true;
const known = new Map();
const listeners = new Set();
const THEMES = ["auto", "light", "dark"];
const dark = matchMedia("(prefers-color-scheme: dark)");

/** The colour of a variable of the style sheet (`--ink`), with an opacity. */
export function ink(name, opacity = 1) {
  if (!known.has(name)) {
    if (!probe.isConnected) document.body.append(probe);
    probe.style.color = `var(${name})`;
    known.set(name, getComputedStyle(probe).color);
  }
  const colour = known.get(name);
  return opacity === 1 ? colour : colour.replace(/^rgba?\(([^)]*?)\)$/, (_, parts) => `rgba(${parts.split(",").slice(0, 3).join(",")}, ${opacity})`);
}

/** Calls a function whenever the colours have changed. */
export function onTheme(listener) {
  listeners.add(listener);
}

/** Makes a button go through the themes: as the system's, light, dark. The choice is kept in the browser. */
export function themeSwitch(button) {
  let theme = "auto";
  try {
    theme = THEMES.includes(localStorage.getItem("theme")) ? localStorage.getItem("theme") : "auto";
  } catch {
    // a browser that keeps nothing: the theme is the system's at each start
  }
  const set = (chosen) => {
    theme = chosen;
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    say(button, { auto: "Theme: system", light: "Theme: light", dark: "Theme: dark" }[theme]);
    refresh();
  };
  button.addEventListener("click", () => {
    set(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]);
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // as above
    }
  });
  dark.addEventListener("change", refresh);
  set(theme);
}

function refresh() {
  known.clear();
  for (const listener of listeners) listener();
}
