"""An NTLM acceptor over TLS, bound to the connection as IIS binds it, with Extended Protection.

    ntlm_server.py CERTIFICATE KEY [off|allow|require]

Accounts are in the file that NTLM_USER_FILE names (DOMAIN:user:password a line). Prints its port, then a line for every
request that it answers: how many came before on the same connection, the status, the user or -, the method and the
path. Serves until its standard input ends. A request on a connection that has authenticated is answered with that
connection's user, or with EWS if it is one of EWS; any other is refused. That is what makes a proxy that mixes
connections up give itself away.

Extended Protection compares the channel binding in the client's last message with the tls-server-end-point binding of
CERTIFICATE: "require" refuses a message without one, "allow" only one with another, "off" (as without the argument)
looks at none. With TLS_CIPHERS in its environment it speaks TLS 1.2 at most, with these ciphers alone.
"""

import base64
import hashlib
import os
import re
import socketserver
import ssl
import struct
import sys
import threading

import ews
import spnego
from spnego.channel_bindings import GssChannelBindings

# What tells a browser not to look for an icon.
NO_ICON = b'<!doctype html><link rel="icon" href="data:,">'


class Connection(socketserver.StreamRequestHandler):
    def handle(self):
        acceptor, user, before = None, None, -1
        while request := self.read_request():
            head, body = request
            before += 1
            if user is None:
                acceptor, user, challenge = self.logon(acceptor, head)
            method, path = head.split(b" ")[:2]
            self.server.tell(before, 200 if user else 401, user or "-", method.decode(), path.decode())
            page = NO_ICON if path.endswith(b".html") else b""
            if user is None:
                self.send(b"401 Unauthorized", b"WWW-Authenticate: " + challenge + b"\r\n", page)
                continue
            fields = b"X-Remote-User: " + user.encode() + b"\r\nPersistent-Auth: true\r\n"
            if method == b"POST":
                self.send(b"200 OK", fields + b"Content-Type: text/xml; charset=utf-8\r\n", ews.answer(body))
            else:
                self.send(b"200 OK", fields, page + user.encode() + b"\n")

    def logon(self, acceptor, head):
        """One step: the acceptor to go on with, the user once it is known, and the challenge until then."""
        credential = re.search(rb"^authorization:\s*NTLM\s+(\S+)", head, re.I | re.M)
        message = base64.b64decode(credential.group(1)) if credential else b""
        if message[8:12] == b"\x01\0\0\0":
            acceptor = spnego.server(protocol="ntlm")
        if acceptor is None or not message:
            return None, None, b"NTLM"
        try:
            challenge = acceptor.step(message, channel_bindings=self.server.wanted(message))
        except spnego.exceptions.SpnegoError:
            return None, None, b"NTLM"
        if acceptor.complete:
            return None, acceptor.client_principal, b""
        return acceptor, None, b"NTLM " + base64.b64encode(challenge)

    def read_request(self):
        """Head and body, or nothing once the client has closed."""
        head = b""
        while line := self.rfile.readline():
            head += line
            if line == b"\r\n":
                return head, self.read_body(head)
        return None

    def read_body(self, head):
        if re.search(rb"^transfer-encoding:\s*chunked", head, re.I | re.M):
            body = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body
        length = re.search(rb"^content-length:\s*(\d+)", head, re.I | re.M)
        return self.rfile.read(int(length.group(1))) if length else b""

    def send(self, status, fields, body):
        length = str(len(body)).encode()
        self.wfile.write(b"HTTP/1.1 " + status + b"\r\n" + fields + b"Content-Length: " + length + b"\r\n\r\n" + body)
        self.wfile.flush()


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, certificate, key, protection="off"):
        super().__init__(("127.0.0.1", 0), Connection)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(certificate, key)
        if ciphers := os.environ.get("TLS_CIPHERS"):
            self.tls.maximum_version = ssl.TLSVersion.TLSv1_2
            self.tls.set_ciphers(ciphers)
        self.protection = protection
        with open(certificate) as pem:
            first = re.search("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", pem.read(), re.S).group(0)
        # The certificates of the tests are signed with SHA-256.
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).digest()
        self.binding = GssChannelBindings(application_data=b"tls-server-end-point:" + digest)

    def tell(self, *words):
        """In one piece: connections have threads of their own."""
        sys.stdout.write("served " + " ".join(map(str, words)) + "\n")
        sys.stdout.flush()

    def wanted(self, message):
        """The binding that the acceptor is to ask for. It takes sixteen zero bytes for a right one, IIS does not."""
        sent = binding(message) if message[8:12] == b"\x03\0\0\0" else None
        if self.protection == "off" or (self.protection == "allow" and not sent):
            return None
        if message[8:12] == b"\x03\0\0\0" and not sent:
            raise spnego.exceptions.BadBindingsError(context_msg="there is none")
        return self.binding

    def finish_request(self, request, address):
        """On the connection's own thread, so that one slow handshake holds up nobody else."""
        try:
            super().finish_request(self.tls.wrap_socket(request, server_side=True), address)
        except (ssl.SSLError, ConnectionError):
            pass


def binding(message):
    """The channel binding (AvId 10) of an AUTHENTICATE_MESSAGE; nothing for none and for sixteen zero bytes."""
    length, _, start = struct.unpack_from("<HHI", message, 20)
    pairs = message[start : start + length][44:]
    while len(pairs) >= 4:
        kind, size = struct.unpack_from("<HH", pairs)
        if kind == 0:
            return None
        if kind == 10:
            value = pairs[4 : 4 + size]
            return value if any(value) else None
        pairs = pairs[4 + size :]
    return None


if __name__ == "__main__":
    with Server(*sys.argv[1:]) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_address[1], flush=True)
        sys.stdin.read()
