"""A WebSocket server over TLS that says back what it is told.

    websocket_server.py CERTIFICATE KEY

Prints its port, then a line `said TEXT` for every message. Serves until its standard input ends.
"""

import asyncio
import base64
import hashlib
import re
import ssl
import sys

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


async def talk(reader, writer):
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        key = re.search(rb"^sec-websocket-key:\s*(\S+)", head, re.I | re.M).group(1)
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
        )
        while True:
            first, length = await reader.readexactly(2)
            length &= 127
            if length == 126:
                length = int.from_bytes(await reader.readexactly(2), "big")
            mask = await reader.readexactly(4)
            text = bytes(byte ^ mask[at % 4] for at, byte in enumerate(await reader.readexactly(length)))
            if first & 15 == 1:
                print("said", text.decode(), flush=True)
                # Short messages alone are said back: their length fits into one byte.
                writer.write(bytes([0x81, len(text)]) + text if length < 126 else b"")
            elif first & 15 == 8:
                writer.write(bytes([0x88, len(text)]) + text)
                return
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main(certificate, key):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main(*sys.argv[1:]))
