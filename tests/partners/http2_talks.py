"""Conversations of HTTP/2, written by hpack and hyperframe: header compression with its table and Huffman code, frames
with padding and priority, CONTINUATION, frames of no known kind, resets.

Usage: http2_talks.py SEED COUNT. Prints one JSON object a line: the bytes of both directions as hex, and per direction
what a reader has to make of them.
"""

import json
import random
import sys

from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

NAMES = ["accept", "user-agent", "cookie", "authorization", "x-ms-diagnostics", "x-odd", "content-type", "server", "date"]
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=;, /\"'"


class Side:
    """One direction: its bytes, its header compression, and what it says."""

    def __init__(self, rng, preface=b""):
        self.rng, self.bytes, self.said, self.encoder = rng, bytearray(preface), [], Encoder()
        self.frame(SettingsFrame(0, settings={SettingsFrame.MAX_CONCURRENT_STREAMS: 100}))

    def frame(self, frame):
        self.noise()
        self.bytes += frame.serialize()

    def noise(self):
        rng = self.rng
        if rng.random() < 0.1:
            payload = rng.randbytes(rng.randrange(40))
            kind = rng.choice([0x0A, 0x0B, 0x10, 0xBA])
            self.bytes += len(payload).to_bytes(3, "big") + bytes([kind, rng.randrange(256), 0, 0, 0, 0]) + payload
        if rng.random() < 0.1:
            self.bytes += PingFrame(0, opaque_data=rng.randbytes(8)).serialize()
        if rng.random() < 0.05:
            self.bytes += WindowUpdateFrame(0, window_increment=rng.randrange(1, 1 << 20)).serialize()

    def fields(self):
        rng = self.rng
        value = lambda: "".join(rng.choices(LETTERS, k=rng.choice([0, 3, 12, 60, 400]))).strip()
        return [(rng.choice(NAMES), value()) for _ in range(rng.randrange(6))]

    def head(self, stream, fields, end):
        rng = self.rng
        if rng.random() < 0.1:
            self.encoder.header_table_size = rng.choice([0, 100, 4096])
        block = self.encoder.encode(fields, huffman=rng.random() < 0.7)
        cuts = sorted(rng.randrange(len(block) + 1) for _ in range(rng.choice([0, 0, 1, 3])))
        parts = [block[a:b] for a, b in zip([0, *cuts], [*cuts, len(block)])]
        first = HeadersFrame(stream, parts[0])
        if end:
            first.flags.add("END_STREAM")
        if rng.random() < 0.3:
            first.flags.add("PADDED")
            first.pad_length = rng.randrange(256)
        if rng.random() < 0.2:
            first.flags.add("PRIORITY")
            first.depends_on, first.stream_weight, first.exclusive = 0, rng.randrange(256), False
        frames = [first, *(ContinuationFrame(stream, part) for part in parts[1:])]
        frames[-1].flags.add("END_HEADERS")
        self.noise()
        self.bytes += b"".join(frame.serialize() for frame in frames)

    def body(self, stream, end):
        """Data in frames of odd sizes; the last one may be empty. Gives the data."""
        rng, whole = self.rng, b""
        for _ in range(rng.randrange(4)):
            data = rng.randbytes(rng.choice([0, 1, 100, 2000]))
            whole += data
            self.data(stream, data, False)
        if end:
            self.data(stream, b"", True)
        return whole

    def data(self, stream, data, end):
        frame = DataFrame(stream, data)
        if end:
            frame.flags.add("END_STREAM")
        if self.rng.random() < 0.3:
            frame.flags.add("PADDED")
            frame.pad_length = self.rng.randrange(256)
        self.frame(frame)

    def say(self, stream, what, *rest):
        self.said.append([stream, what, *rest])


def message(side, stream, first, rest, trailers):
    """A whole message: its head, its body, perhaps trailers."""
    fields = side.fields()
    bare = side.rng.random() < 0.3
    side.head(stream, first + fields, bare)
    side.say(stream, *rest, fields)
    if not bare:
        with_trailers = trailers and side.rng.random() < 0.3
        data = side.body(stream, not with_trailers)
        if data:
            side.say(stream, "body", data.hex())
        if with_trailers:
            fields = [("grpc-status", "0"), *side.fields()]
            side.head(stream, fields, True)
            side.say(stream, "trailers", fields)
    side.say(stream, "end")


def conversation(rng):
    client = Side(rng, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    server = Side(rng)
    streams = range(1, 2 * rng.randrange(1, 9), 2)
    for stream in streams:
        method, path = rng.choice(["GET", "POST", "PROPFIND"]), "/" + "".join(rng.choices(LETTERS[:26], k=rng.randrange(20)))
        pseudo = [(":method", method), (":scheme", "https"), (":authority", "mail.contoso.com"), (":path", path)]
        message(client, stream, pseudo, ("request", method, path), True)
        if rng.random() < 0.2:
            client.frame(PriorityFrame(stream, depends_on=0, stream_weight=7))
    for stream in rng.sample(streams, len(streams)):
        if rng.random() < 0.1:
            code = rng.choice([2, 7, 8, 13])
            server.frame(RstStreamFrame(stream, error_code=code))
            server.say(stream, "reset", code)
            continue
        for _ in range(rng.choice([0, 0, 0, 1, 2])):
            status, fields = rng.choice([100, 102, 103]), server.fields()
            server.head(stream, [(":status", str(status)), *fields], False)
            server.say(stream, "interim", status, fields)
        status = rng.choice([200, 204, 302, 401, 403, 500])
        message(server, stream, [(":status", str(status))], ("response", status), True)
    if rng.random() < 0.2:
        server.bytes += GoAwayFrame(0, last_stream_id=streams[-1], error_code=0).serialize()
    side = lambda side: {"bytes": bytes(side.bytes).hex(), "said": side.said}
    print(json.dumps({"client": side(client), "server": side(server)}))


if __name__ == "__main__":
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    generator = random.Random(seed)
    for _ in range(count):
        conversation(generator)
