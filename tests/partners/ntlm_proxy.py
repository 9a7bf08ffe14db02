"""A forward proxy that wants NTLM, bound to the connection as such proxies bind it.

    ntlm_proxy.py SERVER_PORT

Accounts are in the file that NTLM_USER_FILE names. Every CONNECT leads to SERVER_PORT on this machine, once the client
has logged in. Prints its port, then serves until its standard input ends.
"""

import base64
import re
import socket
import socketserver
import sys
import threading

import spnego


class Connection(socketserver.StreamRequestHandler):
    def handle(self):
        acceptor = None
        while head := self.read_head():
            credential = re.search(rb"^proxy-authorization:\s*(NTLM|Negotiate)\s+(\S+)", head, re.I | re.M)
            if not credential:
                self.refuse(b"NTLM\r\nProxy-Authenticate: Negotiate")
                continue
            scheme = credential.group(1)
            if acceptor is None:
                acceptor = spnego.server(protocol="ntlm" if scheme.lower() == b"ntlm" else "negotiate")
            try:
                challenge = acceptor.step(base64.b64decode(credential.group(2)))
            except spnego.exceptions.SpnegoError:
                acceptor = None
                self.refuse(b"NTLM")
                continue
            if not acceptor.complete:
                self.refuse(scheme + b" " + base64.b64encode(challenge))
                continue
            self.wfile.write(b"HTTP/1.1 200 Tunnel Stands\r\n\r\n")
            return self.join(socket.create_connection(("127.0.0.1", int(sys.argv[1]))))

    def read_head(self):
        head = b""
        while line := self.rfile.readline():
            head += line
            if line == b"\r\n":
                return head
        return None

    def refuse(self, challenge):
        answer = b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: " + challenge
        self.wfile.write(answer + b"\r\nContent-Length: 0\r\n\r\n")

    def join(self, server):
        def back():
            while more := server.recv(65536):
                self.request.sendall(more)
            self.request.shutdown(socket.SHUT_WR)

        threading.Thread(target=back, daemon=True).start()
        while more := self.rfile.read1(65536):
            server.sendall(more)
        server.shutdown(socket.SHUT_WR)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    with Server(("127.0.0.1", 0), Connection) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_address[1], flush=True)
        sys.stdin.read()
