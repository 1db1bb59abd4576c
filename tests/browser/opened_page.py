"""A page in a browser, with a record of everything that went wrong while it was open."""

from contextlib import contextmanager

from playwright.sync_api import TimeoutError

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CONTROLS = "input[type=range], input[type=radio], select"
MOVE = """figure => {
  const first = figure.querySelector(CONTROLS);
  const other = figure.querySelector("input[type=radio]:not(:checked)");
  if (first.type === "radio") return other.click();
  if (first.type === "range") first.value = first.value === first.max ? first.min : first.max;
  else first.selectedIndex = first.selectedIndex === 0 ? 1 : 0;
  for (const name of ["input", "change"]) first.dispatchEvent(new Event(name, {bubbles: true}));
}""".replace("CONTROLS", repr(CONTROLS))
DRAWING = "figure => figure.querySelector('svg, canvas') !== null"
LOOK = """figure => {
  const canvas = figure.querySelector("canvas");
  return canvas ? canvas.toDataURL() : figure.querySelector("svg").outerHTML;
}"""
CHANGED = f"([figure, before]) => ({LOOK})(figure) !== before"
BACKGROUND = """() => {
  const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g).map(Number);
  return (0.299 * r + 0.587 * g + 0.114 * b) / 255;
}"""
WIDE = """() => {
  const scrolls = one => one && one !== document.body
    && (getComputedStyle(one).overflowX !== "visible" || scrolls(one.parentElement));
  return [...document.querySelectorAll("body *")]
    .filter(one => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .filter(one => !scrolls(one.parentElement)).slice(0, 5).map(one => one.outerHTML.slice(0, 200));
}"""
UNFOLD = "document.querySelectorAll('details.deeper').forEach(part => { part.open = true; })"
PATIENCE = 20_000  # milliseconds


class OpenedPage:
    """What a reader meets on one page."""

    def __init__(self, page):
        self.page = page
        self.complaints = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        page.on("requestfailed", lambda one: self.complaints.append(f"request failed: {one.url}"))
        page.on("response", self._on_response)
        page.on("request", self._on_request)
        page.set_default_timeout(PATIENCE)

    def _on_console(self, message):
        if message.type == "error":
            self.complaints.append(f"console: {message.text}")

    def _on_response(self, response):
        if response.status >= 400:
            self.complaints.append(f"{response.status}: {response.url}")

    def _on_request(self, request):
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            self.complaints.append(f"asks another machine: {request.url}")

    def read(self):
        """Open what is folded and scroll to the end, until formulas and charts are there."""
        self.page.evaluate(UNFOLD)
        if self.page.locator(".math").count():
            self.page.wait_for_selector("mjx-container", state="attached")
        for figure in self.charts():
            figure.scroll_into_view_if_needed()
            self._wait_for_drawing(figure)

    def _wait_for_drawing(self, figure):
        try:
            self.page.wait_for_function(DRAWING, arg=figure, timeout=PATIENCE)
        except TimeoutError:
            self.complaints.append(f"a chart was not drawn: {figure.inner_text()[:200]}")

    def charts(self):
        return self.page.query_selector_all(".kdlib-chart")

    def charts_to_move(self):
        """The charts with a slider, buttons or a list."""
        return [one for one in self.charts() if one.query_selector(CONTROLS)]

    def control_changes(self, figure):
        """Whether the chart looks different once its first control is moved."""
        before = figure.evaluate(LOOK)
        figure.evaluate(MOVE)
        try:
            self.page.wait_for_function(CHANGED, arg=[figure, before], timeout=5000)
        except TimeoutError:
            return False
        return True

    def switch_to(self, scheme):
        """Switch the reader's system to ``light`` or ``dark``; the page follows."""
        self.page.emulate_media(color_scheme=scheme)
        self.page.wait_for_function(f"document.documentElement.dataset.theme === '{scheme}'")

    def overflow(self):
        """By how many pixels the page is wider than the screen."""
        return self.page.evaluate(OVERFLOW)

    def too_wide(self):
        return self.page.evaluate(WIDE)

    def brightness(self):
        """Of the page's ground, from 0 (black) to 1 (white)."""
        return self.page.evaluate(BACKGROUND)


@contextmanager
def opened(browser, url, *, width=1280, scheme="light"):
    """Open ``url`` as a fresh visitor."""
    context = browser.new_context(
        viewport={"width": width, "height": 844 if width < 600 else 900}, color_scheme=scheme
    )
    try:
        page = OpenedPage(context.new_page())
        page.page.goto(url, wait_until="load")
        page.read()
        yield page
    finally:
        context.close()
