"""A page in headless Chromium speaks MQTT in a WebSocket.

`browser_test.py CHROMIUM MODULE HOST PORT`: MODULE is the folder that `npm ci` has put MQTT.js
into. The page comes from a server of this program, and posts to it what it has received.
"""

import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading

DEADLINE_S = 60
PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "page.html")


def want(version):
    return [f"page/{version} {qos} hello 70005" for qos in (0, 1, 2)]


def page_server(module):
    files = {"/page.html": ("text/html", PAGE),
             "/mqtt.min.js": ("text/javascript",
                              os.path.join(module, "node_modules", "mqtt", "dist", "mqtt.min.js"))}

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # pylint: disable=invalid-name
            kind, path = files.get(self.path.split("?")[0], (None, None))
            if path is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            with open(path, "rb") as file:
                self.wfile.write(file.read())

        def do_POST(self):  # pylint: disable=invalid-name
            text = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.result = json.loads(text)
            self.send_response(200)
            self.end_headers()
            self.server.has_result.set()

        def log_message(self, *_arguments):  # pylint: disable=arguments-differ
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    server.has_result = threading.Event()
    server.result = None
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def show_page(chromium, url, has_result):
    """Its output, if the page does not answer."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        command = [chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                   "--disable-dev-shm-usage", "--disable-background-networking",
                   "--user-data-dir=" + folder, "--enable-logging=stderr", url]
        with open(os.path.join(folder, "output"), "w+b") as output:
            browser = subprocess.Popen(command, stdout=output, stderr=output)
            has_answered = has_result.wait(DEADLINE_S)
            browser.terminate()
            browser.wait(DEADLINE_S)
            output.seek(0)
            return "" if has_answered else output.read().decode("utf-8", "replace")


def main(chromium, module, host, port):
    server = page_server(module)
    url = f"http://{host}:{server.server_port}/page.html?port={port}"
    output = show_page(chromium, url, server.has_result)
    server.shutdown()
    if server.result == {"4": want(4), "5": want(5)}:
        return 0
    print(f"the page has answered {server.result}\n{output}")
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
