// The state as the hash of the page's address, so that a reload, a shared address and the back button show the same page.

import { variant, WHOLE } from "./state.js";

/** The state as the hash of an address; what is as in the opened scenario is left out. */
export function toHash(state, defaults) {
  const parts = [...changes(state, "")];
  for (const name of [...WHOLE, "maker"]) {
    if (state[name] !== defaults[name]) parts.push(`${name}=${encode(state[name])}`);
  }
  if (state.pin) {
    parts.push("pin=1", ...changes(state.pin, "pin."));
  }
  return parts.length ? `#${parts.join("&")}` : "";
}

/** The state of a hash, on top of that of the opened scenario. What it does not understand it leaves out: the server checks
 * what is left. */
export function fromHash(hash, defaults) {
  const state = { ...defaults, ...variant(defaults) };
  for (const part of hash.replace(/^#/, "").split("&").filter(Boolean)) {
    const [name, ...rest] = part.split("=");
    const value = decode(rest.join("="));
    if (WHOLE.includes(name)) {
      if (/^\d+$/.test(value)) state[name] = Number(value);
    } else if (name === "maker") {
      state.maker = value;
    } else if (name === "pin") {
      state.pin ??= { settings: {}, added: [], removed: [] };
    } else if (name.startsWith("pin.")) {
      state.pin ??= { settings: {}, added: [], removed: [] };
      readChange(state.pin, name.slice(4), value);
    } else {
      readChange(state, name, value);
    }
  }
  return state;
}

function* changes({ settings, added, removed }, prefix) {
  for (const [path, value] of Object.entries(settings)) yield `${prefix}set=${encode(path)}=${encode(written(value))}`;
  for (const { name, like } of added) yield `${prefix}add=${encode(name)}:${encode(like)}`;
  for (const name of removed) yield `${prefix}remove=${encode(name)}`;
}

function readChange(target, name, value) {
  if (name === "set") {
    const place = value.indexOf("=");
    if (place > 0) target.settings[value.slice(0, place)] = read(value.slice(place + 1));
  } else if (name === "add") {
    const place = value.indexOf(":"); // names that the page gives hold none
    if (place > 0) target.added.push({ name: value.slice(0, place), like: value.slice(place + 1) });
  } else if (name === "remove") {
    target.removed.push(value);
  }
}

/** A text that would be read as a number or a switch stands in quotes. */
function written(value) {
  return typeof value === "string" && typeof read(value) === "string" ? value : JSON.stringify(value);
}

function read(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" ? text : value;
  } catch {
    return text;
  }
}

function encode(text) {
  return encodeURIComponent(text).replaceAll("%2F", "/").replaceAll("%3A", ":");
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Writes states to the address: a new entry of the history after a pause, so that the back button undoes one change and not one
 * of a hundred places of a slider. */
export class Address {
  #written = 0;
  #timer = null;
  #hash = null;

  write(hash) {
    if (hash === (this.#hash ?? location.hash)) return;
    this.#hash = hash;
    const now = performance.now();
    if (now - this.#written > 1000) this.#flush("pushState");
    else this.#timer ??= setTimeout(() => this.#flush("replaceState"), 200);
    this.#written = now;
  }

  /** Drops what is not written yet: the address was changed by hand. */
  forget() {
    clearTimeout(this.#timer);
    this.#timer = this.#hash = null;
  }

  /** Before the page goes: what is not written yet. */
  finish() {
    if (this.#hash !== null) this.#flush("replaceState");
  }

  #flush(how) {
    clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#hash !== null) history[how](null, "", this.#hash || location.pathname);
    this.#hash = null;
  }
}
