"""Chromium and its developer tools, driven over the debugging pipe.

    devtools.py har URL WHOLE SANITIZED -- CHROMIUM...      lets the page browse as it likes to (its function `browse`),
                                                            and writes what the network panel exports of that
    devtools.py import ARCHIVE... -- CHROMIUM...            what the network panel has after importing each archive, a
                                                            JSON line for each
    devtools.py look PAGE... -- CHROMIUM...                 looks at the pages at several widths, light and dark, and prints
                                                            them: a JSON line for each; with AUTHTAP_PICTURES in its
                                                            environment, there are pictures in that folder

A server that asks for NTLM gets USER:PASSWORD of LOGON, once. All other dialogues are closed.
"""

import base64
import json
import os
import pathlib
import subprocess
import sys


class Browser:
    """A browser with the pipe of its debugger."""

    def __init__(self, command):
        profile = next(word for word in command if word.startswith("--user-data-dir=")).split("=", 1)[1]
        self.profile = pathlib.Path(profile)
        asked, self.ask = os.pipe()
        self.answers, answered = os.pipe()
        # The browser's ends have to be its descriptors 3 and 4.
        shell = f'exec "$@" 3<&{asked} 4>&{answered} --remote-debugging-pipe --remote-debugging-port=0'
        shell = ["bash", "-c", f"{shell} '--remote-allow-origins=*'", "bash", *command]
        # What is printed is for the test alone.
        self.process = subprocess.Popen(shell, pass_fds=(asked, answered), stdout=sys.stderr)
        os.close(asked)
        os.close(answered)
        self.received = b""
        self.number = 0
        self.events = []
        self.challenged = set()

    def call(self, method, session=None, **parameters):
        number = self.send(method, session, **parameters)
        while True:
            message = self.message()
            if message.get("id") == number:
                assert "error" not in message, f"{method}: {message}"
                return message["result"]

    def send(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.ask, json.dumps(message).encode() + b"\0")
        return self.number

    def message(self):
        while b"\0" not in self.received:
            piece = os.read(self.answers, 1 << 16)
            assert piece, "the browser has gone"
            self.received += piece
        raw, self.received = self.received.split(b"\0", 1)
        message = json.loads(raw)
        self.react(message)
        return message

    def react(self, message):
        """What is not an answer is an event; what waits for us is let go on."""
        method, parameters, session = message.get("method"), message.get("params", {}), message.get("sessionId")
        if method == "Fetch.requestPaused":
            self.send("Fetch.continueRequest", session, requestId=parameters["requestId"])
        elif method == "Fetch.authRequired":
            request, answer = parameters["requestId"], {"response": "CancelAuth"}
            if parameters["authChallenge"]["scheme"] == "ntlm" and request not in self.challenged:
                user, word = os.environ["LOGON"].split(":", 1)
                answer = {"response": "ProvideCredentials", "username": user, "password": word}
            self.challenged.add(request)
            self.send("Fetch.continueWithAuth", session, requestId=request, authChallengeResponse=answer)
        elif method:
            self.events.append(message)

    def wait(self, method, session, **parameters):
        """Until there was an event with these parameters."""
        while not any(parameters.items() <= event["params"].items() for event in self.told(method, session)):
            self.message()

    def told(self, method, session):
        return [event for event in self.events if event["method"] == method and event.get("sessionId") == session]

    def open(self):
        """An empty page, and the session that talks with it."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable", session)
        self.call("Page.setLifecycleEventsEnabled", session, enabled=True)
        return target, session

    def visit(self, session, url):
        loader = self.call("Page.navigate", session, url=url)["loaderId"]
        self.wait("Page.lifecycleEvent", session, loaderId=loader, name="load")

    def run(self, session, script):
        """What the script, a function's body, returns."""
        result = self.call(
            "Runtime.evaluate",
            session,
            expression=f"(async () => {{{script}}})()",
            awaitPromise=True,
            returnByValue=True,
        )
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def tools(self, target):
        """The browser's own developer tools for a page, in a page of their own, as the browser serves them itself."""
        port = (self.profile / "DevToolsActivePort").read_text().splitlines()[0]
        _, session = self.open()
        server = f"127.0.0.1:{port}/devtools"
        self.visit(session, f"http://{server}/devtools_app.html?ws={server}/page/{target}")
        self.run(session, TOOLS)
        return session

    def close(self):
        self.call("Browser.close")
        self.process.wait()


TOOLS = """
    const [common, sdk, logs, har, network] = await Promise.all(
        ['core/common/common', 'core/sdk/sdk', 'models/logs/logs', 'models/har/har', 'panels/network/network'].map(
            path => import(new URL(`./${path}.js`, location.href))));
    await new Promise(done => sdk.TargetManager.TargetManager.instance().observeTargets(
        {targetAdded: target => target.type() === sdk.Target.Type.FRAME && done(), targetRemoved() {}}));
    globalThis.tools = {common, har, network, requests: () => logs.NetworkLog.NetworkLog.instance().requests()};
"""

EXPORT = """
    let text = '';
    const stream = {write: async piece => { text += piece; }, close() {}};
    const requests = tools.requests().filter(request => request.url() !== 'data:,');
    const progress = new tools.common.Progress.Progress();
    await tools.har.Writer.Writer.write(stream, requests, {sanitize: SANITIZED}, progress);
    return text;
"""

IMPORT = """
    const panel = tools.network.NetworkPanel.NetworkPanel.instance();
    const said = tools.common.Console.Console.instance().messages().length;
    await panel.networkLogView.onLoadFromFile(new File([TEXT], 'archive.har'));
    const pairs = fields => fields.map(({name, value}) => [name, value]);
    return {
        errors: tools.common.Console.Console.instance().messages().slice(said).map(message => message.text),
        requests: await Promise.all(tools.requests().map(async request => ({
            url: request.url(), method: request.requestMethod, status: request.statusCode, reason: request.statusText,
            protocol: request.protocol, connection: request.connectionId, sent: request.timing.sendEnd,
            answered: request.timing.receiveHeadersEnd, lasted: (request.endTime - request.issueTime()) * 1000,
            posted: await request.requestFormData(),
            asked: pairs(request.requestHeaders()), got: pairs(request.responseHeaders),
            content: await request.requestContentData().then(data => data.isTextContent ? data.text : data.base64),
            frames: request.frames().map(frame => [frame.type, frame.opCode, frame.text]),
        }))),
    };
"""


def har(browser, url, whole, sanitized):
    target, session = browser.open()
    browser.visit(session, url)
    tools = browser.tools(target)
    # The panel listens once it has heard of something.
    while browser.run(tools, "return tools.requests().length;") == 0:
        browser.run(session, "await fetch('data:,');")
    browser.call("Fetch.enable", session, handleAuthRequests=True)
    browser.run(session, "await browse();")
    while not browser.run(tools, "return tools.requests().every(request => request.finished);"):
        pass
    for path, sanitize in [(whole, "false"), (sanitized, "true")]:
        pathlib.Path(path).write_text(browser.run(tools, EXPORT.replace("SANITIZED", sanitize)))


def import_(browser, *archives):
    tools = browser.tools(browser.open()[0])
    for archive in archives:
        text = json.dumps(pathlib.Path(archive).read_text())
        print(json.dumps(browser.run(tools, IMPORT.replace("TEXT", text))))


LOOK = """
    const shown = [...document.querySelectorAll('body *')].filter(one => one.checkVisibility());
    const wide = one => one.getBoundingClientRect().right > innerWidth + 0.5 && !one.closest('.wide, details');
    const style = getComputedStyle(document.body);
    return {
        language: document.documentElement.lang, heading: document.querySelector('h1').innerText,
        overflow: document.scrollingElement.scrollWidth - document.documentElement.clientWidth,
        wide: shown.filter(wide).map(one => one.outerHTML.slice(0, 80)),
        paper: style.backgroundColor, ink: style.color,
        drawn: shown.filter(one => one.matches('svg')).map(one => Math.round(one.getBoundingClientRect().width)),
    };
"""

# What a page could do if somebody smuggled something into it, and what the browser refused of that.
SMUGGLE = """
    const refused = [];
    const all = new Promise(done => addEventListener('securitypolicyviolation', event => {
        if (refused.push(event.effectiveDirective) === 6) done();
    }));
    const add = (name, set) => document.body.appendChild(Object.assign(document.createElement(name), set));
    add('img', {src: 'https://elsewhere.contoso.com/picture'});
    add('script', {textContent: 'globalThis.smuggled = true'});
    add('style', {textContent: '@import "https://elsewhere.contoso.com/style"'});
    add('iframe', {src: 'https://elsewhere.contoso.com/frame'});
    add('p', {}).setAttribute('onclick', 'globalThis.smuggled = true');
    await fetch('https://elsewhere.contoso.com/fetch').catch(() => {});
    await all;
    return {refused: refused.sort(), smuggled: 'smuggled' in globalThis};
"""


def look(browser, *pages):
    pictures = os.environ.get("AUTHTAP_PICTURES")
    for page in pages:
        _, session = browser.open()
        browser.call("Network.enable", session)
        browser.call("Audits.enable", session)
        name, url = pathlib.Path(page).stem, pathlib.Path(page).as_uri()
        seen = {}
        browser.visit(session, url)
        for width in [400, 900, 1500]:
            screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
            browser.call("Emulation.setDeviceMetricsOverride", session, **screen)
            for scheme in ["light", "dark"]:
                features = [{"name": "prefers-color-scheme", "value": scheme}]
                browser.call("Emulation.setEmulatedMedia", session, media="screen", features=features)
                seen[f"{scheme} {width}"] = browser.run(session, LOOK)
                if pictures:
                    picture = browser.call("Page.captureScreenshot", session, captureBeyondViewport=True)["data"]
                    pathlib.Path(pictures, f"{name}-{scheme}-{width}.png").write_bytes(base64.b64decode(picture))
        browser.call("Emulation.setEmulatedMedia", session, media="print", features=[])
        hidden = browser.run(session, "return [...document.querySelectorAll('dd')].filter(one => !one.checkVisibility()).length;")
        browser.call("Emulation.setEmulatedMedia", session, media="", features=[])
        printed = base64.b64decode(browser.call("Page.printToPDF", session)["data"])
        assert printed.startswith(b"%PDF")
        if pictures:
            pathlib.Path(pictures, f"{name}.pdf").write_bytes(printed)
        asked = sorted({event["params"]["request"]["url"] for event in browser.told("Network.requestWillBeSent", session)})
        issues = [event["params"]["issue"]["code"] for event in browser.told("Audits.issueAdded", session)]
        sheets = printed.count(b"/Type /Page\n")
        answer = {"seen": seen, "asked": asked, "issues": issues, "sheets": sheets, "hidden": hidden, "smuggling": browser.run(session, SMUGGLE)}
        print(json.dumps(answer))


if __name__ == "__main__":
    at = sys.argv.index("--")
    browser = Browser(sys.argv[at + 1 :])
    {"har": har, "import": import_, "look": look}[sys.argv[1]](browser, *sys.argv[2:at])
    browser.close()
