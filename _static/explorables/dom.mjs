/* Elements and the controls that both explorables share. */

const SVG = "http://www.w3.org/2000/svg";

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** An HTML element; an attribute that starts with "on" is a listener. */
export const html = (tag, attributes = {}, ...children) =>
  filled(document.createElement(tag), attributes, children);

/** An SVG element. */
export const svg = (tag, attributes = {}, ...children) =>
  filled(document.createElementNS(SVG, tag), attributes, children);

let count = 0;
const fresh = (word) => `kdlib-${word}-${(count += 1)}`;

/** A slider over a list of values. */
export function slider({ label, values, value, format = String, change }) {
  const id = fresh("slider");
  const shown = html("output", { for: id });
  const input = html("input", {
    id, type: "range", min: 0, max: values.length - 1, step: 1,
    oninput: () => {
      say();
      change(values[input.value]);
    },
  });
  const say = () => {
    shown.textContent = format(values[input.value]);
    input.setAttribute("aria-valuetext", shown.textContent);
  };
  const set = (wanted) => {
    input.value = values.indexOf(wanted);
    say();
  };
  set(value);
  const element = html("div", { class: "kdlib-slider" }, html("label", { for: id }, label), shown, input);
  return { element, set };
}

/** Buttons of which one is chosen. options: [[value, text], ...] */
export function choice({ label, options, value, change }) {
  const name = fresh("choice");
  const inputs = new Map();
  const pills = options.map(([key, text]) => {
    const input = html("input", { type: "radio", name, value: key, onchange: () => change(key) });
    inputs.set(key, input);
    return html("label", {}, input, text);
  });
  const set = (wanted) => {
    inputs.get(wanted).checked = true;
  };
  const allow = (fits) => inputs.forEach((input, key) => {
    input.disabled = !fits(key);
  });
  set(value);
  const element = html("fieldset", { class: "kdlib-choice" }, html("legend", {}, label), ...pills);
  return { element, set, allow };
}

/** A box to tick. */
export function tick({ label, value, change }) {
  const input = html("input", { type: "checkbox", onchange: () => change(input.checked) });
  input.checked = value;
  return { element: html("label", { class: "kdlib-tick" }, input, label) };
}

export const button = (text, press, attributes = {}) =>
  html("button", { type: "button", onclick: press, ...attributes }, text);

/** Call `draw(width)` now and whenever the element's width changes. */
export function onWidth(element, draw) {
  let last = 0;
  new ResizeObserver(() => {
    const width = Math.floor(element.clientWidth);
    if (width > 0 && width !== last) draw((last = width));
  }).observe(element);
}
