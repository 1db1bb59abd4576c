"""What every page must keep to: for everyone, quick, and light."""

from axe_playwright_python.sync_playwright import Axe

GRAVE = ("critical", "serious")
# Without preload: axe would ask for imported style sheets at wrong addresses.
EVERYTHING = {"resultTypes": ["violations"], "preload": False}
CONTRAST = {"runOnly": ["color-contrast"], "preload": False}  # all that a dark page changes
UNFOLD = "document.querySelectorAll('details').forEach(part => { part.open = true; })"
FOLD = "document.querySelectorAll('details').forEach(part => { part.open = false; })"
SETTLED = "Promise.all(document.getAnimations().map(one => one.finished.catch(() => null)))"
LARGEST_PAINT = """() => new Promise(done => {
  const told = list => done(list.getEntries().at(-1).startTime);
  new PerformanceObserver(told).observe({type: "largest-contentful-paint", buffered: true});
})"""
WEIGHT = """["navigation", "resource"].flatMap(kind => performance.getEntriesByType(kind))
  .map(one => one.decodedBodySize).reduce((a, b) => a + b)"""
SLOWEST, HEAVIEST = 1000, 2_500_000  # milliseconds, bytes


def findings(page, options=None):
    """What axe-core finds that bars somebody from reading: rule, place, reason."""
    found = Axe().run(page, options=options or EVERYTHING).response
    return [
        f"{rule['id']}: {node['target']}: {node['failureSummary']}"
        for rule in found["violations"]
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]


def check_for_everyone(page, options=None):
    """With all that is folded open, once colours have settled."""
    page.evaluate(UNFOLD)
    page.evaluate(SETTLED)
    assert findings(page, options) == []


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
