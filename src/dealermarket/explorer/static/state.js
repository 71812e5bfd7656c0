// What the page shows, as one value, and how it changes; what changes it makes a new one.

export const WHOLE = ["replicas", "seed", "replica", "step"];

/** The state that an opened scenario begins with. */
export function initial(given) {
  return { settings: {}, added: [], removed: [], replicas: 200, seed: 0, replica: 0, step: 0, maker: "", pin: null, ...given };
}

/** A copy of the part of a state that says which market it is. */
export function variant({ settings, added, removed }) {
  return { settings: { ...settings }, added: added.map((each) => ({ ...each })), removed: [...removed] };
}

/** With a field set to a value, or as it was (undefined). What another kind of a part, or another policy, had is dropped with it;
 * `was` is the value of the opened scenario. */
export function withSetting(state, path, value, was) {
  const settings = { ...state.settings };
  if (value === undefined || value === was) delete settings[path];
  else settings[path] = value;
  const [, part, end] = /^(.*)\.(kind|policy)$/.exec(path) ?? [];
  if (part) {
    const within = end === "kind" ? `${part}.` : `${path}.`;
    for (const other of Object.keys(settings)) if (other !== path && other.startsWith(within)) delete settings[other];
  }
  const step = path === "steps" && typeof value === "number" ? Math.min(state.step, Math.max(value - 1, 0)) : state.step;
  return { ...state, settings, step };
}

/** With a copy of a maker as it is now, in focus; `names` are those of the makers that there are, `path` begins those of its
 * fields. */
export function withCopy(state, maker, names, path) {
  const like = state.added.find((each) => each.name === maker)?.like ?? maker;
  const taken = new Set([...names, ...state.removed]);
  let place = 1;
  while (taken.has(`new-${place}`)) place += 1;
  const name = `new-${place}`;
  const settings = { ...state.settings };
  for (const [field, value] of Object.entries(state.settings)) {
    if (field.startsWith(`${path}.`)) settings[`makers.${name}${field.slice(path.length)}`] = value;
  }
  return { ...state, settings, added: [...state.added, { name, like }], maker: name };
}

/** Without a maker. */
export function withoutMaker(state, maker, names, path) {
  const settings = unnumbered(state.settings);
  for (const field of Object.keys(settings)) if (field.startsWith(`${path}.`)) delete settings[field];
  const added = state.added.filter((each) => each.name !== maker);
  const removed = added.length === state.added.length ? [...state.removed, maker] : state.removed;
  const focus = state.maker === maker ? (names.find((name) => name !== maker) ?? "") : state.maker;
  return { ...state, settings, added, removed, maker: focus };
}

/** With a maker of the opened scenario that was removed. */
export function withBack(state, maker) {
  return { ...state, settings: unnumbered(state.settings), removed: state.removed.filter((name) => name !== maker) };
}

/** Settings without those of makers by number (whose names cannot stand in a path): another maker may have that number now. */
function unnumbered(settings) {
  return Object.fromEntries(Object.entries(settings).filter(([path]) => !/^makers\.\d+\./.test(path)));
}

/** A variant in few words. */
export function inWords({ settings, added, removed }) {
  const changes = Object.entries(settings).map(([path, value]) => `${path.split(".").slice(-2).join(" ").replaceAll("_", " ")} ${value}`);
  const all = [...changes, ...added.map(({ name }) => `with ${name}`), ...removed.map((name) => `without ${name}`)];
  return all.length === 0 ? "as opened" : all.length <= 2 ? all.join(", ") : `${all.length} changes`;
}
