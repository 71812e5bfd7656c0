// Numbers and units as the page writes them.

const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const formats = new Map();

/** A number above 0 with so many decimal places. Formats are kept: making one takes longer than using it a hundred times. */
function withPlaces(value, places) {
  if (!formats.has(places)) formats.set(places, new Intl.NumberFormat("en", { minimumFractionDigits: places, maximumFractionDigits: places }));
  return formats.get(places).format(value);
}

/** A number in `digits` significant digits; a dash where there is none. */
export function number(value, digits = 4) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  let text;
  if (size >= 1e7 || size < 1e-4) {
    const [mantissa, power] = size.toExponential(Math.max(digits - 2, 0)).split("e");
    text = `${mantissa}·10${Number(power) < 0 ? "⁻" : ""}${[...String(Math.abs(power))].map((digit) => SUPERSCRIPTS[digit]).join("")}`;
  } else {
    const places = Math.min(Math.max(digits - 1 - Math.floor(Math.log10(size)), 0), 8);
    text = withPlaces(size, places);
  }
  return value < 0 ? `−${text}` : text;
}

/** The same with a plus sign above 0. */
export function signed(value, digits = 4) {
  return value > 0 ? `+${number(value, digits)}` : number(value, digits);
}

/** The decimal places with which the largest of some numbers has `digits` significant ones. */
export function placesOf(values, digits = 3) {
  const largest = Math.max(0, ...values.map((value) => Math.abs(value ?? 0)));
  return largest > 0 ? Math.min(Math.max(digits - 1 - Math.floor(Math.log10(largest)), 0), 9) : 0;
}

/** A number with that many decimal places. */
export function fixed(value, places) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const text = withPlaces(Math.abs(value), places);
  return value < 0 && /[1-9]/.test(text) ? `−${text}` : text;
}

/** An estimate times a factor, such as 100 for percent. */
export function scaled(estimate, factor = 1) {
  if (!estimate) return null;
  const times = (value) => (value === null ? null : value * factor);
  return { ...estimate, value: times(estimate.value), low: times(estimate.low), high: times(estimate.high) };
}

/** An interval. */
export function interval(low, high, digits = 3) {
  return `${number(low, digits)} to ${number(high, digits)}`;
}

/** A name in so many letters, without its middle: names of one kind differ at their ends. */
export function shortened(name, most) {
  return name.length > most ? `${name.slice(0, Math.ceil(most / 2) - 1)}…${name.slice(-Math.floor(most / 2))}` : name;
}

/** A whole number with separators. */
export function count(value) {
  return withPlaces(value, 0);
}

/** A value of a control, in full. */
export function plain(value) {
  if (typeof value === "number") return String(value);
  if (typeof value === "boolean") return value ? "on" : "off";
  return value === null || value === undefined ? "" : String(value);
}

/** The same, with as many digits of a long number as a field has room for. */
export function brief(value) {
  const text = plain(value);
  if (typeof value !== "number" || text.length <= 9) return text;
  const short = String(Number(value.toPrecision(5)));
  return short.length <= 9 ? short : value.toExponential(2);
}

/** A unit in brackets, nothing for numbers without one. */
export function unit(name) {
  return name && name !== "1" ? name : "";
}

/** Labels of an axis: as few digits as tell its ticks apart. */
export function ticks(_chart, splits) {
  const gap = Math.abs((splits[1] ?? 1) - (splits[0] ?? 0)) || 1;
  const largest = Math.max(...splits.map(Math.abs));
  if (largest >= 1e7 || largest < 1e-4) return splits.map((value) => number(value, 2));
  let places = Math.min(Math.max(-Math.floor(Math.log10(gap) + 1e-9), 0), 8);
  if (places < 8 && Math.abs(gap * 10 ** places - Math.round(gap * 10 ** places)) > 1e-6) places += 1; // a gap of 0.25
  return splits.map((value) => {
    const text = withPlaces(Math.abs(value), places);
    return value < 0 && Number(text) !== 0 ? `−${text}` : text;
  });
}
