"""An authority and its certificates in a temporary folder, made by the openssl command.

    pki = Authority(folder)
    server = pki.issue("localhost", server=True)    # .certificate and .key are paths
    client = pki.issue("ann")
    pki.revoke(client)                              # pki.revoked is the list
"""

import os
import subprocess

_CONFIG = """
[ca]
default_ca = own
[own]
dir = {folder}
database = {folder}/index.txt
new_certs_dir = {folder}
serial = {folder}/serial
crlnumber = {folder}/crlnumber
default_md = sha256
default_crl_days = 30
certificate = {folder}/ca.pem
private_key = {folder}/ca.key
policy = any
copy_extensions = copy
unique_subject = no
[any]
organizationName = optional
commonName = optional
"""


def openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise AssertionError(f"openssl {arguments}:\n{done.stdout.decode()}")


class Certificate:
    def __init__(self, certificate, key):
        self.certificate = certificate
        self.key = key


class Authority:
    def __init__(self, folder, name="ca"):
        self.folder = os.path.join(folder, name)
        os.mkdir(self.folder)
        self.config = self._file("openssl.cnf", _CONFIG.format(folder=self.folder))
        self._file("index.txt", "")
        self._file("serial", "01\n")
        self._file("crlnumber", "01\n")
        self.certificate = self._path("ca.pem")
        self.revoked = self._path("revocations.crl")
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", f"/CN={name}", "-days", "30", "-keyout", self._path("ca.key"), "-out",
                self.certificate)
        self._write_revoked()

    def _path(self, name):
        return os.path.join(self.folder, name)

    def _file(self, name, text):
        with open(self._path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self._path(name)

    def issue(self, name, subject=None, dates=("-days", "30"),
              names="DNS:localhost,IP:127.0.0.1"):
        key, request = self._path(name + ".key"), self._path(name + ".csr")
        certificate = self._path(name + ".pem")
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", subject or f"/CN={name}", "-addext",
                "subjectAltName=" + names, "-keyout", key, "-out", request)
        openssl("ca", "-batch", "-notext", "-config", self.config, *dates, "-in", request, "-out",
                certificate)
        return Certificate(certificate, key)

    def issue_expired(self, name):
        return self.issue(name, dates=("-startdate", "20200101000000Z", "-enddate",
                                       "20200201000000Z"))

    def revoke(self, issued):
        openssl("ca", "-config", self.config, "-revoke", issued.certificate)
        self._write_revoked()

    def _write_revoked(self):
        openssl("ca", "-config", self.config, "-gencrl", "-out", self.revoked)
