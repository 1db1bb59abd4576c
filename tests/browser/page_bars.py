"""What every page must keep to: for everyone, quick, and light."""

from axe_playwright_python.sync_playwright import Axe

GRAVE = ("critical", "serious")
# Without preload: axe would ask for imported style sheets at wrong addresses.
STRUCTURE = {
    "resultTypes": ["violations"],
    "rules": {"color-contrast": {"enabled": False}},
    "preload": False,
}
CONTRAST = {"runOnly": ["color-contrast"], "preload": False}  # all that a dark page changes
LOOKS = "data-looks"
# For a table of 4,000 cells that all look alike axe takes a minute. So of texts of one size, weight
# and colour on the same grounds it is shown the first three.
MARK_LOOKS = """name => {
  const grounds = new Map([[document, ""]]), seen = new Map();
  const ground = one => {
    if (!grounds.has(one)) {
      const s = getComputedStyle(one), under = ground(one.parentNode ?? document);
      const own = [s.backgroundColor, s.backgroundImage, s.opacity, s.filter].join(" ");
      grounds.set(one, own === "rgba(0, 0, 0, 0) none 1 none" ? under : `${under} / ${own}`);
    }
    return grounds.get(one);
  };
  const look = one => {
    const s = getComputedStyle(one);
    return [s.color, s.fontSize, s.fontWeight, s.textShadow, ground(one)].join(" ");
  };
  const written = one => [...one.childNodes]
    .some(child => child.nodeType === Node.TEXT_NODE && child.data.trim());
  document.querySelectorAll(`[${name}]`).forEach(one => one.removeAttribute(name));
  for (const one of document.querySelectorAll("body *")) {
    if (!written(one) || !one.checkVisibility()) continue;
    const key = look(one), count = seen.get(key) ?? 0;
    seen.set(key, count + 1);
    if (count < 3) one.setAttribute(name, "");
  }
  return seen.size;
}"""
UNFOLD = "document.querySelectorAll('details').forEach(part => { part.open = true; })"
FOLD = "document.querySelectorAll('details').forEach(part => { part.open = false; })"
# Nothing here waits for a frame: a browser that draws none would be waited for without an end.
SETTLE = """() => document.getAnimations().forEach(one =>
  one.effect?.getComputedTiming().endTime < Infinity ? one.finish() : one.cancel())"""
LARGEST_PAINT = """() => new Promise(done => {
  const told = list => done(list.getEntries().at(-1).startTime);
  new PerformanceObserver(told).observe({type: "largest-contentful-paint", buffered: true});
  setTimeout(done, 10_000, 10_000);
})"""
WEIGHT = """["navigation", "resource"].flatMap(kind => performance.getEntriesByType(kind))
  .map(one => one.decodedBodySize).reduce((a, b) => a + b)"""
SLOWEST, HEAVIEST = 1000, 2_500_000  # milliseconds, bytes


def findings(page):
    """What axe-core finds that bars somebody from reading: rule, place, reason."""
    return [*_found(page, None, STRUCTURE), *pale(page)]


def pale(page):
    """Of these what lacks contrast."""
    looks = page.evaluate(MARK_LOOKS, LOOKS)
    return _found(page, f"[{LOOKS}]", CONTRAST) if looks else []


def _found(page, context, options):
    found = Axe().run(page, context=context, options=options).response
    return [
        f"{rule['id']}: {node['target']}: {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]


def check_for_everyone(page, look=findings):
    """With all that is folded open and all colours at their end."""
    page.evaluate(UNFOLD)
    page.evaluate(SETTLE)
    assert look(page) == []


def check_weight(page):
    """Of the page as it was read to its end, with all that it loaded."""
    assert 10_000 < page.evaluate(WEIGHT) <= HEAVIEST


def check_largest_paint(page):
    """Another process may hold the processor: the best of three loads counts."""
    times = [page.evaluate(LARGEST_PAINT)]
    while min(times) >= SLOWEST and len(times) < 3:
        page.reload(wait_until="load")
        times.append(page.evaluate(LARGEST_PAINT))
    assert 0 < min(times) < SLOWEST, times
