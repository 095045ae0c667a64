"""JSON Web Tokens as passwords: Python and the openssl program sign, the broker reads its keys."""

import base64
import hashlib
import hmac
import json
import os
import re
import shutil
import signal
import subprocess
import time

import wire
from harness import BROKER, IS_NIGHTJAR, Scenario, main
from wire import CONNACK, V5, V311

SECRET = "a secret that has thirty-two bytes, at least"
SUCCESS, NOT_AUTHORIZED, NOT_AUTHORIZED_V3, MAXIMUM_CONNECT_TIME = 0, 0x87, 5, 0xA0


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments, text=b""):
    return subprocess.run(
        ["openssl", *arguments], input=text, stdout=subprocess.PIPE, check=True
    ).stdout


def unsigned(claims, header):
    return ".".join(base64url(json.dumps(part).encode()) for part in (header, claims))


def hs256(claims, secret=SECRET, **header):
    text = unsigned(claims, {"alg": "HS256", "typ": "JWT", **header})
    return text + "." + base64url(hmac.digest(secret.encode(), text.encode(), hashlib.sha256))


def by_openssl(algorithm, key, claims, **header):
    text = unsigned(claims, {"alg": algorithm, **header})
    signature = openssl("dgst", "-sha256", "-sign", key, text=text.encode())
    if algorithm == "ES256":
        numbers = openssl("asn1parse", "-inform", "DER", text=signature).decode()
        pair = re.findall(r"INTEGER\s*:([0-9A-F]+)", numbers)
        signature = b"".join(bytes.fromhex(number.rjust(64, "0")) for number in pair)
    return text + "." + base64url(signature)


def has_openssl():
    if not IS_NIGHTJAR or not shutil.which("openssl"):
        return False
    done = subprocess.run([BROKER, "--version"], stdout=subprocess.PIPE, check=True)
    return b"with SCRAM-SHA-256" in done.stdout


class JwtScenario(Scenario):
    def setUp(self):
        if not has_openssl():
            self.skipTest("no OpenSSL in " + BROKER)
        self.start_broker("allow_anonymous true", threads=2)  # Makes the folder.
        self.broker.stop()

    def path(self, name):
        return os.path.join(self.broker.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(self.path(name), 0o600)
        return self.path(name)

    def start(self, *lines):
        self.broker.write_config("\n".join(["allow_anonymous false", *lines]))
        self.broker.start()

    def login(self, token, user=None, version=V5):
        client = wire.Client(self.broker.port, connect=False, version=version)
        self.addCleanup(client.close)
        names = {"password": token}
        if user is not None:
            names["username"] = user
        client.send(wire.connect(version, "c", **names))
        return client.expect(CONNACK).reason

    def test_a_token_lets_in_until_it_expires_and_the_log_says_what_is_wrong(self):
        self.start(f"auth_jwt_secret_file {self.write('secret', SECRET)}")
        now = int(time.time())
        good = hs256({"sub": "ann", "exp": now + 600})
        self.assertEqual(self.login(good, "ann"), SUCCESS)
        self.assertEqual(self.login(good), SUCCESS)
        self.assertEqual(self.login(good, "ann", V311), SUCCESS)
        self.assertEqual(self.login(good, "bob"), NOT_AUTHORIZED)
        self.assertEqual(self.login(good, "bob", V311), NOT_AUTHORIZED_V3)
        self.broker.wait_log("JWT: it is for another user name")
        self.assertEqual(self.login(hs256({"sub": "ann", "exp": now - 60}), "ann"), NOT_AUTHORIZED)
        self.broker.wait_log("JWT: it has expired 6[0-9] s ago")
        none = unsigned({"sub": "ann"}, {"alg": "none"}) + "."
        self.assertEqual(self.login(none, "ann"), NOT_AUTHORIZED)
        self.broker.wait_log("JWT: its algorithm is none of")
        self.assertEqual(self.login("a password", "ann"), NOT_AUTHORIZED)
        self.assertNotIn(good, self.broker.log())

    def test_the_tokens_name_is_whom_the_rules_are_about(self):
        rules = self.write("rules", "user ann\ntopic readwrite ann/#\n")
        secret = self.write("secret", SECRET + "\n")
        self.start(f"auth_jwt_secret_file {secret}", f"acl_file {rules}")
        client = wire.Client(self.broker.port, connect=False, version=V5)
        self.addCleanup(client.close)
        client.send(wire.connect(V5, "c", password=hs256({"sub": "ann"})))
        self.assertEqual(client.expect(CONNACK).reason, SUCCESS)
        client.send(wire.publish(V5, "ann/a", b"x", qos=1, packet_id=1))
        self.assertIn(client.expect(wire.PUBACK).reason, (0, 0x10))
        client.send(wire.publish(V5, "bob/a", b"x", qos=1, packet_id=2))
        self.assertEqual(client.expect(wire.PUBACK).reason, NOT_AUTHORIZED)

    def test_a_claim_says_what_its_bearer_may_do_and_exp_when_it_leaves(self):
        rules = self.write("rules", "topic readwrite #\n")  # For others.
        secret = self.write("secret", SECRET)
        self.start(
            f"auth_jwt_secret_file {secret}", "auth_jwt_acl_claim acl", f"acl_file {rules}",
            f"control_socket {self.path('ctl')}"
        )
        claims = {"sub": "ann"}
        self.assertEqual(self.login(hs256(claims)), NOT_AUTHORIZED)
        self.broker.wait_log("JWT: it has no claim 'acl'")
        claims["acl"] = {"publish": ["%u/#"], "subscribe": ["%c"]}
        claims["exp"] = int(time.time()) + 4
        client = wire.Client(self.broker.port, connect=False, version=V5)
        self.addCleanup(client.close)
        client.send(wire.connect(V5, "c", password=hs256(claims)))
        self.assertEqual(client.expect(CONNACK).reason, SUCCESS)
        client.send(wire.publish(V5, "ann/a", b"x", qos=1, packet_id=1))
        self.assertIn(client.expect(wire.PUBACK).reason, (0, 0x10))
        client.send(wire.publish(V5, "bob/a", b"x", qos=1, packet_id=2))
        self.assertEqual(client.expect(wire.PUBACK).reason, NOT_AUTHORIZED)
        self.broker.wait_log("topic 'bob/a' .JWT: none of 2 rows")
        said = self.run_program([BROKER, "ctl", "--socket", self.path("ctl"), "explain", "-i", "c",
                                 "-u", "ann", "publish", "bob/a"], 1)
        self.assertIn("JWT: none of 2 rows, by the login of the client that is there", said)
        self.assertEqual(client.expect(wire.DISCONNECT).reason, MAXIMUM_CONNECT_TIME)
        client.wait_closed()
        self.broker.wait_log("Client c came with a login that has expired, disconnecting")

    def test_where_nothing_is_allowed_a_token_allows_nothing(self):
        secret = self.write("secret", SECRET)
        self.start(f"auth_jwt_secret_file {secret}", "auth_jwt_acl_claim acl", "plugin /no.so")
        client = wire.Client(self.broker.port, connect=False, version=V5)
        self.addCleanup(client.close)
        token = hs256({"sub": "ann", "acl": {"all": ["#"]}})
        client.send(wire.connect(V5, "c", password=token))
        self.assertEqual(client.expect(CONNACK).reason, SUCCESS)
        client.send(wire.publish(V5, "a", b"x", qos=1, packet_id=1))
        self.assertEqual(client.expect(wire.PUBACK).reason, NOT_AUTHORIZED)

    def test_keys_of_openssl_and_a_set_that_is_read_again(self):
        openssl("genrsa", "-out", self.path("rsa"), "2048")
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", self.path("ec"))
        public = self.write("pub", openssl("pkey", "-in", self.path("rsa"), "-pubout").decode())
        point = openssl("pkey", "-in", self.path("ec"), "-pubout", "-outform", "DER")[-64:]
        key = {"kty": "EC", "crv": "P-256", "kid": "one"}
        key.update(x=base64url(point[:32]), y=base64url(point[32:]))
        keys = self.write("set", json.dumps({"keys": [key]}))
        self.start(f"auth_jwt_key_file {public}", f"auth_jwt_jwks_file {keys}")
        token = by_openssl("ES256", self.path("ec"), {"sub": "ann"}, kid="one")
        self.assertEqual(self.login(token), SUCCESS)
        self.assertEqual(self.login(by_openssl("RS256", self.path("rsa"), {"sub": "b"})), SUCCESS)
        with open(public, encoding="utf-8") as file:
            self.assertEqual(self.login(hs256({"sub": "ann"}, file.read())), NOT_AUTHORIZED)

        self.write("set", '{"keys": [')
        self.broker.signal(signal.SIGHUP)
        self.broker.wait_log("auth_jwt_jwks_file .*it is no JWK Set")
        self.assertEqual(self.login(token), SUCCESS)
        self.write("set", json.dumps({"keys": [{**key, "kid": "two"}]}))
        self.broker.signal(signal.SIGHUP)
        self.wait_refused(token)

    def wait_refused(self, token):
        deadline = time.monotonic() + 20
        while self.login(token) != NOT_AUTHORIZED:
            self.assertLess(time.monotonic(), deadline)

    def test_a_key_that_is_wrong_is_named_at_the_start(self):
        self.broker.write_config(f"auth_jwt_secret_file {self.write('secret', 'short')}")
        output = self.run_program([BROKER, "-c", self.broker.config_path], want=1)
        self.assertIn("': a secret for HS256 has 32 bytes or more, this one has 5.", output)


if __name__ == "__main__":
    main()
