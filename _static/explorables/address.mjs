/* The state of an explorable in the page's address, so that a link shows what its sender saw. */

/** What the address says, by name; values that are not allowed are left out.
 *
 *  fields: { name: { short, values } }. */
export function readAddress(fields) {
  const asked = new URLSearchParams(location.hash.slice(1));
  const found = {};
  for (const [name, { short, values }] of Object.entries(fields)) {
    const text = asked.get(short);
    const value = values.find((one) => String(one) === text);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

/** Write what differs from the defaults; nothing is added to the history. */
export function writeAddress(fields, state, defaults, more = {}) {
  const said = new URLSearchParams(more);
  for (const [name, { short }] of Object.entries(fields)) {
    if (state[name] !== defaults[name]) said.set(short, state[name]);
  }
  const text = said.toString();
  const place = location.pathname + location.search + (text ? `#${text}` : "");
  history.replaceState(history.state, "", place);
}
