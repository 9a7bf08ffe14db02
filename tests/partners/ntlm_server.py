"""An NTLM acceptor over TLS, bound to the connection as IIS binds it, with Extended Protection.

    ntlm_server.py CERTIFICATE KEY [off|allow|require]

Accounts are in the file that NTLM_USER_FILE names (DOMAIN:user:password a line). Prints its port, then serves until
its standard input ends. A request on a connection that has authenticated is answered with that connection's user;
any other is refused. That is what makes a proxy that mixes connections up give itself away.

Extended Protection compares the channel binding in the client's last message with the tls-server-end-point binding of
CERTIFICATE: "require" refuses a message without one, "allow" only one with another, "off" (as without the argument)
looks at none.
"""

import base64
import hashlib
import re
import socketserver
import ssl
import struct
import sys
import threading

import spnego
from spnego.channel_bindings import GssChannelBindings


class Connection(socketserver.StreamRequestHandler):
    def handle(self):
        acceptor, user = None, None
        while head := self.read_head():
            credential = re.search(rb"^authorization:\s*NTLM\s+(\S+)", head, re.I | re.M)
            if user is None and credential:
                message = base64.b64decode(credential.group(1))
                if message[8:12] == b"\x01\0\0\0":
                    acceptor = spnego.server(protocol="ntlm")
                if acceptor is None:
                    self.refuse(b"NTLM")
                    continue
                try:
                    challenge = acceptor.step(message, channel_bindings=self.server.wanted(message))
                except spnego.exceptions.SpnegoError:
                    acceptor = None
                    self.refuse(b"NTLM")
                    continue
                if not acceptor.complete:
                    self.refuse(b"NTLM " + base64.b64encode(challenge))
                    continue
                user = acceptor.client_principal
            if user is None:
                self.refuse(b"NTLM")
            else:
                name = user.encode()
                self.send(b"200 OK", b"X-Remote-User: " + name + b"\r\nPersistent-Auth: true\r\n", name + b"\n")

    def read_head(self):
        """One request without a body, or nothing once the client has closed."""
        head = b""
        while line := self.rfile.readline():
            head += line
            if line == b"\r\n":
                return head
        return None

    def refuse(self, challenge):
        self.send(b"401 Unauthorized", b"WWW-Authenticate: " + challenge + b"\r\n", b"")

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
        self.protection = protection
        with open(certificate) as pem:
            first = re.search("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", pem.read(), re.S).group(0)
        # The certificates of the tests are signed with SHA-256.
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).digest()
        self.binding = GssChannelBindings(application_data=b"tls-server-end-point:" + digest)

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
