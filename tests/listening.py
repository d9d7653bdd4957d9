"""A client of the stream, and how it reads a frame; ``assets/web/protocol.js`` reads the same."""

import json
import struct
import time

import numpy as np


def decode(frame: bytes, classes: int, dim: int, members: int = 1):
    (length,) = struct.unpack_from("<I", frame)
    header = json.loads(frame[4 : 4 + length])
    assert (4 + length) % 4 == 0
    prototypes = np.frombuffer(frame, "<f4", members * classes * dim, 4 + length)
    points = np.frombuffer(frame, "<i2", offset=4 + length + prototypes.nbytes)
    extent = np.array(header["extent"])[:, None, None]
    shape = (members, -1, dim)
    return header, prototypes.reshape(shape), points.reshape(shape) / 32767 * extent


class Listener:
    """A client that acknowledges every frame and sorts what it hears."""

    def __init__(self, socket, classes=10, dim=2, members=1):
        self.socket, self.frames, self.texts = socket, [], []
        self.shape = classes, dim, members

    def hear(self, until, seconds=20.0):
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            if until(self):
                return self
            message = self.socket.receive()
            if message.get("bytes"):
                self.frames.append(decode(message["bytes"], *self.shape))
                self.say(type="ack")
            else:
                self.texts.append(json.loads(message["text"]))
        raise AssertionError(f"not heard in {seconds} s; last: {self.texts[-1:]}")

    def say(self, **message):
        self.socket.send_text(json.dumps(message))

    def state(self):
        return next((t["state"] for t in reversed(self.texts) if "state" in t), None)
