"""A service that knows users, over HTTP: what the broker asks, and what it is told, is the test's.

    service = Service()
    service.reply = lambda request: (200, '{"result": "allow"}')    # request is the JSON as a dict
    service.requests, service.headers                               # what came, in order
    service.hang(); service.go_on()                                 # it says nothing for a while
    service.kill(); service.start()                                 # on the same port
"""

import contextlib
import http.server
import json
import socket
import ssl
import threading

from harness import HOST


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # Connections stay.
    disable_nagle_algorithm = True

    def do_POST(self):
        service = self.server.service
        body = self.rfile.read(int(self.headers["Content-Length"]))
        request = json.loads(body)
        service.requests.append(request)
        service.headers.append(self.headers)
        service.may_go_on.wait()
        status, text, *headers = service.reply(request)
        answer = text.encode()
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        with contextlib.suppress(OSError):  # Who asked may have gone.
            self.wfile.write(answer if status != 204 else b"")

    def log_message(self, *_):
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, service, port):
        self.service = service
        self.open = set()
        super().__init__((HOST, port), _Handler)

    def get_request(self):
        connection, peer = super().get_request()
        if self.service.tls:
            # The handshake is the handler's thread's.
            connection = self.service.tls.wrap_socket(connection, server_side=True,
                                                      do_handshake_on_connect=False)
        self.open.add(connection)
        return connection, peer

    def shutdown_request(self, request):
        self.open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request, client_address):
        """A peer that does not trust us, or has gone, is what tests ask for."""


class Service:
    def __init__(self, authority=None, certificate=None, wants_certificate=False):
        self.tls = None
        if certificate:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(certificate.certificate, certificate.key)
            self.tls.load_verify_locations(authority.certificate)
            if wants_certificate:
                self.tls.verify_mode = ssl.CERT_REQUIRED
        self.reply = lambda request: (204, "")
        self.requests = []
        self.headers = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.port = 0
        self.server = None
        self.start()

    def start(self):
        self.server = _Server(self, self.port)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def hang(self):
        self.may_go_on.clear()

    def go_on(self):
        self.may_go_on.set()

    def kill(self):
        """Its connections end with it."""
        self.server.shutdown()
        self.server.server_close()
        for connection in list(self.server.open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server = None

    def close(self):
        self.go_on()
        if self.server:
            self.kill()

    def config(self, host=HOST, path="/mqtt/auth", **options):
        scheme = "https" if self.tls else "http"
        options = {"url": f"{scheme}://{host}:{self.port}{path}", **options}
        return "\n".join(f"auth_http_{key} {value}" for key, value in options.items())
