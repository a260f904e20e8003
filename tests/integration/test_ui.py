"""The pages, the JSON API around them and the support bundle, from outside and in a real browser."""
import io
import json
import os
import re
import select
import shutil
import subprocess
import threading
import time
import zipfile

import pytest

from weirproc import LIMIT, await_that, http

pytestmark = pytest.mark.core

SECRET = "planted-hunter2"
HOSTILE = "<script>alert('x')</script>\\\" onclick=alert(1)"

CONFIG = f'''
otelcol.auth.basic "creds" {{
  username = "weir"
  password = "{SECRET}"
}}

otelcol.processor.attributes "env" {{
  action {{
    key    = "note"
    value  = "{HOSTILE}"
    action = "upsert"
  }}
  output {{
    traces = [send.one.input, otelcol.exporter.otlphttp.two.input]
  }}
}}

otelcol.exporter.otlphttp "two" {{
  client {{
    endpoint = "http://127.0.0.1:1"
    auth     = otelcol.auth.basic.creds.handler
  }}
}}

declare "send" {{
  argument "url" {{ }}
  argument "password" {{ }}
  otelcol.auth.basic "inner" {{
    username = "weir"
    password = argument.password.value
  }}
  otelcol.exporter.otlphttp "inner" {{
    client {{
      endpoint = argument.url.value
      auth     = otelcol.auth.basic.inner.handler
    }}
  }}
  export "input" {{
    value = otelcol.exporter.otlphttp.inner.input
  }}
}}

send "one" {{
  url      = "http://127.0.0.1:2"
  password = convert.nonsensitive("{SECRET}") /* {SECRET} */
}}
'''

# The same without the literal in an untyped argument, which is a plain string there and shown as one.
QUIET = CONFIG.replace(f'convert.nonsensitive("{SECRET}") /* {SECRET} */', '"plain"')

PAGES = ["/", "/component/otelcol.auth.basic.creds", "/component/otelcol.exporter.otlphttp.two", "/component/otelcol.processor.attributes.env",
         "/component/send.one", "/component/send.one/otelcol.exporter.otlphttp.inner", "/component/send.one/otelcol.auth.basic.inner", "/graph",
         "/graph/send.one", "/graph?focus=otelcol.exporter.otlphttp.two", "/status", "/clustering", "/remotecfg",
         "/debug/otelcol.processor.attributes.env", "/nowhere"]
API = ["/api/v0/web/components", "/api/v0/web/components/otelcol.auth.basic.creds", "/api/v0/web/components/otelcol.exporter.otlphttp.two",
       "/api/v0/web/components/send.one", "/api/v0/web/modules/send.one/components",
       "/api/v0/web/components/send.one/otelcol.auth.basic.inner", "/api/v0/web/peers", "/metrics"]


def components(answer):
    return {c["localID"]: c for c in json.loads(answer.body)}


# ---- pages ----

def test_pages_show_what_runs(weir):
    w = weir(QUIET)
    for path in PAGES:
        r = w.get(path)
        assert (r.status, r.headers["Content-Type"]) == (200, "text/html; charset=utf-8"), path
        assert r.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in r.headers["Content-Security-Policy"] and "unsafe" not in r.headers["Content-Security-Policy"]
        assert "<script>alert" not in r.text and "onclick=alert(1)\"" not in r.text
        assert not re.search(r'(src|href)="(https?:)?//', r.text), "nothing comes from elsewhere"
    page = w.get("/component/otelcol.processor.attributes.env").text
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in page
    assert 'href="/component/otelcol.exporter.otlphttp.two"' in page and 'href="/debug/otelcol.processor.attributes.env"' in page
    page = w.get("/component/otelcol.exporter.otlphttp.two").text
    assert "http://127.0.0.1:1" in page and 'href="/component/otelcol.auth.basic.creds"' in page
    assert 'href="/component/send.one/otelcol.exporter.otlphttp.inner"' in w.get("/component/send.one").text
    assert "There is no component" not in page and "Component not found" in w.get("/component/not.there").text
    assert "--server.http.listen-addr" in w.get("/status").text


def test_graph_draws_every_component_and_signal(weir):
    w = weir(QUIET)
    page = w.get("/graph").text
    assert re.findall(r'data-id="([^"]+)"', page) and set(re.findall(r'data-id="([^"]+)"', page)) == set(components(w.get(API[0])))
    assert page.count('class="flow traces"') == 3 and page.count('class="flow value"') == 2  # one of each is the legend
    focus = w.get("/graph?focus=send.one").text
    assert set(re.findall(r'data-id="([^"]+)"', focus)) == {"send.one", "otelcol.processor.attributes.env"}
    assert set(re.findall(r'data-id="([^"]+)"', w.get("/graph/send.one").text)) == {
        "send.one/otelcol.auth.basic.inner", "send.one/otelcol.exporter.otlphttp.inner"}


def test_pages_below_a_prefix(weir):
    w = weir(QUIET, "--server.http.ui-path-prefix=/deep/agent/")
    page = w.get("/deep/agent/").text
    for link in re.findall(r'(?:href|src)="(/[^"]*)"', page):
        assert link.startswith("/deep/agent/") and w.get(link).status == 200, link
    assert w.get("/deep/agent/assets/style.css").headers["Content-Type"] == "text/css; charset=utf-8"
    assert w.get("/assets/style.css").status == 404 and w.get("/deep/agent/assets/none").status == 404
    assert w.get("/deep/agentx").status == 404


def test_a_broken_configuration_says_why_on_the_page(weir):
    w = weir(QUIET)
    assert "last reload failed" not in w.get("/").text
    r = w.reload(QUIET.replace("endpoint = \"http://127.0.0.1:1\"", f'password = "{SECRET}"\n    endpont = "x"'))
    assert r.status == 400
    for path in ("/", "/status"):
        page = w.get(path).text
        assert "last reload failed" in page and "config.alloy:" in page and "^^^" in page and "endpont" in page
        assert SECRET not in page
    assert len(components(w.get(API[0]))) == 4
    assert w.reload(QUIET.replace('"two"', '"three"').replace("otlphttp.two", "otlphttp.three")).status == 200
    page = w.get("/status").text
    assert "last reload failed" not in page and "1 added, 1 changed, 1 removed, 4 left" in page
    w.config.write_text(f'x = "{SECRET}')
    assert w.post("/-/reload").status == 400
    assert "last reload failed" in w.get("/").text and SECRET not in w.get("/").text


# ---- the API ----

def test_an_import_says_on_the_page_how_it_fares(weir, tmp_path):
    lib = tmp_path / "lib.alloy"
    lib.write_text('declare "d" { }\n')
    w = weir(f'import.file "lib" {{\n  filename = "{lib}"\n}}\nlib.d "x" {{ }}\n')
    assert "<code>import.file.lib</code>" in w.get("/").text and "healthy" in w.get("/").text
    lib.write_text('declare "d" {\n')
    await_that("what is wrong with the new content", lambda: "cannot be parsed" in w.get("/").text)
    assert w.health("lib.d.x")["state"] == "healthy"


def test_modules_in_the_api(weir):
    w = weir(QUIET)
    every = components(w.get("/api/v0/web/components"))
    assert every["send.one"]["createdModuleIDs"] == ["send.one"] and every["send.one"]["name"] == "send"
    assert every["send.one"]["moduleID"] == "" and "createdModuleIDs" not in every["otelcol.auth.basic.creds"]
    inner = components(w.get("/api/v0/web/modules/send.one/components"))
    assert set(inner) == {"otelcol.auth.basic.inner", "otelcol.exporter.otlphttp.inner"}
    assert inner["otelcol.auth.basic.inner"]["moduleID"] == "send.one"
    assert inner["otelcol.auth.basic.inner"]["referencedBy"] == ["otelcol.exporter.otlphttp.inner"]
    one = json.loads(w.get("/api/v0/web/components/send.one/otelcol.exporter.otlphttp.inner").body)
    assert list(one) == ["name", "type", "localID", "moduleID", "label", "referencesTo", "referencedBy", "dataFlowEdgesTo", "health", "original",
                         "arguments", "exports", "debugInfo", "liveDebuggingEnabled"]
    assert list(json.loads(w.get("/api/v0/web/components/send.one").body))[-2:] == ["createdModuleIDs", "liveDebuggingEnabled"]
    args = {a["name"]: a["value"] for a in json.loads(w.get("/api/v0/web/components/send.one").body)["arguments"]}
    assert args["url"] == {"type": "string", "value": "http://127.0.0.1:2"}
    assert w.get("/api/v0/web/components/otelcol.processor.attributes.env").text.count("\\u003cscript\\u003e") == 1
    order = list(every)
    assert order.index("otelcol.exporter.otlphttp.two") < order.index("otelcol.processor.attributes.env")  # evaluation order


@pytest.mark.parametrize("path, status, text", [
    ("/api/v0/web/modules/not.there/components", 500, "module not found\n"),
    ("/api/v0/web/components/not.there", 404, "404 page not found\n"),
    ("/api/v0/web/components/logging", 404, "404 page not found\n"),
    ("/api/v0/web/remotecfg/components", 500, "remote config service startup in progress\n"),
    ("/api/v0/web/remotecfg/components/a.b", 500, "remote config service startup in progress\n"),
    ("/api/v0/web/remotecfg/modules/a.b/components", 500, "remote config service startup in progress\n"),
    ("/api/v0/component/remotecfg/a.b/metrics", 503, "failed to get host: remote config service startup in progress\n"),
    ("/api/v0/component/logging/x", 400, 'failed to parse URL path "/api/v0/component/logging/x": "logging" is not a component\n'),
    ("/api/v0/component/send.one/none.x/y", 404, ""),
    ("/api/v1/ckit/transport/message", 404, "clustering is disabled\n"),
    ("/debug/pprof/heap", 404, None),
])
def test_answers_without_a_component(weir, path, status, text):
    w = weir(QUIET)
    for method in ("GET", "PUT"):
        r = http(method, w.url + path)
        assert r.status == status and (text is None or r.text == text), (method, r.text)


def test_methods_of_support(weir):
    w = weir("", "--server.http.ui-path-prefix=/x")
    assert http("POST", w.url + "/-/support").status == 405
    w = weir("")
    r = http("POST", w.url + "/-/support")
    assert r.status == 200 and r.headers["Content-Type"] == "text/html; charset=utf-8"


# ---- the support bundle ----

ROOT = "alloy-support-bundle/"


def bundle(w, query="?duration=1"):
    r = w.get("/-/support" + query)
    assert r.status == 200 and r.headers["Content-Type"] == "application/zip", r.text
    assert r.headers["Content-Disposition"] == 'attachment; filename="alloy-support-bundle.zip"'
    z = zipfile.ZipFile(io.BytesIO(r.body))
    assert z.testzip() is None
    return {name: z.read(name).decode() for name in z.namelist()}


def test_support_bundle(weir):
    w = weir('logging {\n  level = "debug"\n}\n' + CONFIG, env={"HTTP_PROXY": f"http://me:{SECRET}@proxy:3128/x", "GOGC": "50"})
    threading.Timer(0.3, lambda: w.post("/-/reload")).start()
    files = bundle(w)
    assert set(files) == {ROOT + n for n in (
        "alloy-metadata.yaml", "alloy-components.json", "alloy-peers.json", "alloy-metrics-sample-start.txt", "alloy-metrics-sample-end.txt",
        "alloy-runtime-flags.txt", "alloy-environment.txt", "alloy-logs.txt", "sources/config.alloy")}
    assert {c["localID"] for c in json.loads(files[ROOT + "alloy-components.json"])} == set(components(w.get(API[0])))
    assert json.loads(files[ROOT + "alloy-peers.json"])[0]["isSelf"]
    assert "alloy_build_info" in files[ROOT + "alloy-metrics-sample-start.txt"]
    assert re.match(r"build_version: v\S+\nos: linux\narchitecture: \w+\nuptime: [\d.]+\n$", files[ROOT + "alloy-metadata.yaml"])
    flags = files[ROOT + "alloy-runtime-flags.txt"]
    assert f"server.http.listen-addr=127.0.0.1:{w.http_port}\n" in flags and not flags.endswith("\n")
    env = files[ROOT + "alloy-environment.txt"]
    assert "GOGC=50\n" in env and "\nHTTP_PROXY=http://(secret)@proxy:3128/x\n" in env and env.count("\n") == 13
    assert "config reloaded" in files[ROOT + "alloy-logs.txt"]
    source = files[ROOT + "sources/config.alloy"]
    assert source.count('"(secret)"') == 3 and "\turl      = \"http://127.0.0.1:2\"" in source
    for name, text in files.items():
        if name != ROOT + "alloy-logs.txt":
            assert SECRET not in text, name


def test_bundles_wait_for_each_other_and_for_nobody_who_left(weir):
    w = weir("")
    gone = subprocess.Popen(["curl", "-s", "-m", "0.3", "-o", "/dev/null", w.url + "/-/support?duration=1"])
    gone.wait()
    took = []
    threads = [threading.Thread(target=lambda: (bundle(w), took.append(time.monotonic()))) for _ in range(2)]
    for t in threads:
        t.start()
    assert w.get("/-/ready").status == 200  # nothing is held up
    for t in threads:
        t.join(30)
    assert len(took) == 2 and abs(took[0] - took[1]) > 0.6


def test_a_stop_does_not_wait_for_a_bundle(weir):
    w = weir("")
    p = subprocess.Popen(["curl", "-s", "-o", "/dev/null", w.url + "/-/support"])
    time.sleep(0.2)
    start = time.monotonic()
    assert w.stop() == 0 and time.monotonic() - start < 20
    p.wait(LIMIT)


@pytest.mark.parametrize("query, text", [
    ("x", 'duration value (in seconds) should be a positive integer: strconv.Atoi: parsing "x": invalid syntax\n'),
    ("0", "duration value (in seconds) should be larger than 1\n"),
    ("-3", "duration value (in seconds) should be larger than 1\n"),
    ("31", "duration value exceeds the server's write timeout\n"),
])
def test_durations_that_are_refused(weir, query, text):
    w = weir("")
    r = w.get("/-/support?duration=" + query)
    assert (r.status, r.text) == (400, text)


def test_bundles_can_be_disabled(weir):
    w = weir("", "--server.http.disable-support-bundle")
    r = w.get("/-/support")
    assert (r.status, r.text) == (403, "support bundle generation is disabled; it can be re-enabled by removing the "
                                       "--server.http.disable-support-bundle flag")


# ---- secrets ----

def test_secrets_never_appear(weir):
    w = weir(QUIET)
    for path in PAGES + API:
        assert SECRET not in w.get(path).text, path
    assert '{"type":"capsule","value":"(secret)"}' in w.get("/api/v0/web/components/otelcol.auth.basic.creds").text
    assert "(secret)" in w.get("/component/otelcol.auth.basic.creds").text
    assert all(SECRET not in text for text in bundle(w).values())


# ---- in the browser ----

CHROMIUM = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if p), None)
browser = pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed")


class Chromium:
    """A headless browser, spoken to over its debugging pipe: JSON texts that end with NUL, on descriptors 3 and 4."""

    def __init__(self, profile):
        there, self._out = os.pipe()
        self._in, back = os.pipe()

        def take_pipes():
            a, b = os.dup(there), os.dup(back)  # above the two numbers wanted, whatever these were
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.p = subprocess.Popen([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe",
                                   f"--user-data-dir={profile}", "about:blank"], preexec_fn=take_pipes, close_fds=False,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(there)
        os.close(back)
        self._rest, self._number, self.troubles = b"", 0, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(domain + ".enable")

    _session = None

    def _next(self):
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._in], [], [], LIMIT)
            assert ready, "the browser does not answer"
            got = os.read(self._in, 1 << 20)
            assert got, "the browser has ended"
            self._rest += got
        text, self._rest = self._rest.split(b"\0", 1)
        m = json.loads(text)
        if m.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
            self.troubles.append(m["params"])
        return m

    def call(self, method, **params):
        self._number += 1
        m = {"id": self._number, "method": method, "params": params}
        if self._session:
            m["sessionId"] = self._session
        os.write(self._out, json.dumps(m).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def open(self, url, width=1280, height=900):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.call("Page.navigate", url=url)
        await_that(f"{url} is loaded", lambda: self.run(f"location.href == {json.dumps(url)} && document.readyState == 'complete'"))

    def run(self, script):
        return self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)["result"].get("value")

    def close(self):
        os.close(self._out)
        os.close(self._in)
        self.p.terminate()
        self.p.wait(20)


@pytest.fixture
def chromium(tmp_path):
    c = Chromium(tmp_path / "profile")
    yield c
    c.close()


ROWS = "[...document.querySelectorAll('.components tbody tr')].filter(r => !r.hidden && r.querySelector('.health')).length"


@browser
def test_the_list_is_filtered(weir, chromium):
    w = weir(QUIET)
    chromium.open(w.url + "/?filter=otlphttp")
    assert chromium.run(ROWS) == 1
    chromium.run("filter.value = 'healthy'; filter.dispatchEvent(new Event('input'))")
    assert chromium.run(ROWS) == 4
    chromium.run("filter.value = 'Healthy send'; filter.dispatchEvent(new Event('input'))")
    assert chromium.run(ROWS) == 1


@browser
def test_the_list_follows_what_runs(weir, chromium):
    w = weir(QUIET)
    chromium.open(w.url + "/")
    chromium.run("filter.value = 'three'; filter.dispatchEvent(new Event('input'))")
    assert chromium.run(ROWS) == 0
    assert w.reload(QUIET.replace('"two"', '"three"').replace("otlphttp.two", "otlphttp.three")).status == 200
    await_that("the new component is shown", lambda: chromium.run(ROWS) == 1)


@browser
@pytest.mark.parametrize("width", [400, 1280])
def test_every_page_in_the_browser(weir, chromium, width):
    """No fault in the console, nothing the policy refused, nothing wider than the window, and the links work."""
    w = weir(QUIET)
    for path in PAGES:
        chromium.open(w.url + path, width)
        assert chromium.run("document.documentElement.scrollWidth") <= width, path
        assert chromium.run("document.querySelector('main h1').textContent.length") > 0
        assert chromium.run("getComputedStyle(document.querySelector('header')).backgroundColor") == "rgb(11, 60, 71)"  # the style is in force
    refused = [t for t in chromium.troubles if "/api/v0/web/debug/" not in json.dumps(t)]  # which is disabled here
    assert not refused, refused
    chromium.open(w.url + "/graph", width)
    chromium.run("document.querySelector('svg a[data-id=\"send.one\"]').dispatchEvent(new MouseEvent('click', {bubbles: true}))")
    await_that("the component is opened", lambda: chromium.run("document.querySelector('h1')?.textContent") == "send.one")


@browser
def test_hostile_text_stays_text(weir, chromium):
    w = weir(QUIET)
    chromium.open(w.url + "/component/otelcol.processor.attributes.env")
    assert "<script>alert('x')</script>\" onclick=alert(1)" in chromium.run("document.querySelector('.values').textContent")
    assert chromium.run("document.querySelectorAll('main script, [onclick]').length") == 0


@browser
def test_boxes_of_the_graph_do_not_overlap(weir, chromium):
    w = weir(QUIET)
    chromium.open(w.url + "/graph")
    boxes = chromium.run("[...document.querySelectorAll('.box')].map(b => b.getBoundingClientRect()).map(r => [r.left, r.top, r.right, r.bottom])")
    assert len(boxes) == 4
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1], (a, b)


@browser
def test_live_debugging(weir, chromium, ports, root):
    w = weir(QUIET)
    page = w.url + "/debug/otelcol.processor.attributes.env"
    chromium.open(page)
    await_that("the page says so", lambda: "is disabled" in chromium.run("document.getElementById('live-state').textContent"))
    port = ports(1)[0]
    receiver = f'otelcol.receiver.otlp "in" {{\n  http {{\n    endpoint = "127.0.0.1:{port}"\n  }}\n' \
               '  output {\n    traces = [otelcol.processor.attributes.env.input]\n  }\n}\n'
    assert w.reload("livedebugging {\n  enabled = true\n}\n" + receiver + QUIET).status == 200
    chromium.open(page + "?")
    await_that("it listens", lambda: "Waiting" in chromium.run("document.getElementById('live-state').textContent"))

    def shown():
        http("POST", f"http://127.0.0.1:{port}/v1/traces", (root / "examples/trace.json").read_bytes(), {"Content-Type": "application/json"})
        return chromium.run("document.querySelectorAll('#items li').length")

    await_that("items are shown", shown, step=0.3)


def test_the_page_has_the_colours_of_the_graph_command(root):
    css = (root / "ui/assets/style.css").read_text()
    colours = dict(re.findall(r'"(traces|metrics|logs|targets|value)",?\s*(?:\.color = )?"(#[0-9a-f]{6})"', (root / "runtime/flow.c").read_text()))
    assert len(colours) == 5
    for name, colour in colours.items():
        assert f"--{name}: {colour};" in css
