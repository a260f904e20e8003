"""Certificates for the tests: an authority of its own and leaves signed by it, made by the openssl command."""
import subprocess


class Authority:
    """Files of one authority in a folder; leaf(name) makes a certificate and key for 127.0.0.1, localhost and `names`."""

    def __init__(self, folder, name="authority"):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.cert, self.key = folder, folder / f"{name}.pem", folder / f"{name}.key"
        self.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                 "-keyout", self.key, "-out", self.cert)

    @staticmethod
    def run(*argv):
        subprocess.run(["openssl", *map(str, argv)], check=True, capture_output=True)

    def leaf(self, name, names=("DNS:localhost", "IP:127.0.0.1"), key_type=("ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
        """(certificate file, key file)"""
        cert, key, request, ext = (self.folder / f"{name}.{e}" for e in ("pem", "key", "csr", "ext"))
        ext.write_text("subjectAltName=" + ",".join(names) + "\n")
        self.run("req", "-newkey", *key_type, "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        self.run("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial", "-days", "2", "-extfile", ext,
                 "-out", cert)
        return cert, key
