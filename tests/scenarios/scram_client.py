"""The client's half of SCRAM-SHA-256 (RFC 5802, RFC 7677), by hashlib and hmac alone."""

import base64
import hashlib
import hmac
import os

METHOD = "SCRAM-SHA-256"


def _hmac(key, text):
    return hmac.new(key, text, hashlib.sha256).digest()


class ScramClient:
    """One exchange: first(), then final(challenge), then is_server(verdict)."""

    def __init__(self, user, password, head="n,,"):
        escaped = user.replace("=", "=3D").replace(",", "=2C")
        self.nonce = base64.b64encode(os.urandom(18)).decode()
        self.head = head
        self.bare = f"n={escaped},r={self.nonce}"
        self.password = password.encode()
        self.iterations = 0
        self.salt = b""
        self._server_signature = b""

    def first(self):
        return self.head + self.bare

    def final(self, challenge):
        fields = dict(field.split("=", 1) for field in challenge.decode().split(","))
        if not fields["r"].startswith(self.nonce) or fields["r"] == self.nonce:
            raise AssertionError(f"the server's nonce does not go on from ours: {challenge}")
        self.iterations = int(fields["i"])
        self.salt = base64.b64decode(fields["s"], validate=True)
        salted = hashlib.pbkdf2_hmac("sha256", self.password, self.salt, self.iterations)
        client_key = _hmac(salted, b"Client Key")
        head = base64.b64encode(self.head.encode()).decode()
        without_proof = f"c={head},r={fields['r']}"
        said = f"{self.bare},{challenge.decode()},{without_proof}".encode()
        signature = _hmac(hashlib.sha256(client_key).digest(), said)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        self._server_signature = _hmac(_hmac(salted, b"Server Key"), said)
        return f"{without_proof},p={base64.b64encode(proof).decode()}"

    def is_server(self, verdict):
        """Whether the server has shown that it knows the user, too."""
        return verdict == b"v=" + base64.b64encode(self._server_signature)
