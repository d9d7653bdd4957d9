"""Students without a browser: each joins with the code, takes a seat and watches over WebSockets.

A program of its own, so that what it costs is not the measuring program's. It does what its first
argument says, prints one JSON object a line, and waits for a line where its user has to act.

``python benchmarks/crowd.py watch URL CODE COUNT SETTLE SECONDS``, and so on.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import statistics
import struct
import sys
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect

COOKIE = "facevis_seat"


def tell(**fields) -> None:
    """A line to the program that started this one."""
    print(json.dumps(fields), flush=True)


async def told() -> str:
    """The next line from it."""
    return await asyncio.to_thread(sys.stdin.readline)


def post(url: str, path: str, body: dict, cookie: str = "") -> tuple[int, bytes, str]:
    """Status, body and cookie of a form's answer."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    headers = {"Content-Type": "application/json", "Cookie": cookie}
    connection.request("POST", path, json.dumps(body), headers)
    answer = connection.getresponse()
    content, given = answer.read(), (answer.headers["Set-Cookie"] or "").partition(";")[0]
    connection.close()
    return answer.status, content, given


@dataclass
class Student:
    """One browser's worth of cookie and sockets, and what it has seen."""

    url: str
    code: str
    cookie: str = ""
    seat: ClientConnection | None = None
    frames: list[tuple[float, float, int]] = field(default_factory=list)
    """When each live snapshot came, how old it was (both ms), and its step."""

    async def join(self) -> None:
        status, content, self.cookie = await asyncio.to_thread(
            post, self.url, "/facevis/join", {"code": self.code}
        )
        assert status == 204, (status, content)
        self.seat = await self.open("/facevis/seat")

    async def open(self, path: str) -> ClientConnection:
        address = self.url.replace("http", "ws", 1) + path
        cookie = {"Cookie": self.cookie}
        return await connect(
            address, origin=self.url, additional_headers=cookie, compression=None, open_timeout=30
        )

    async def state(self, wanted=lambda state: True) -> dict:
        """The next state of the room that is wanted."""
        while True:
            message = json.loads(await self.seat.recv())
            if message["type"] == "state" and wanted(message):
                return message

    async def watch(self, token: str) -> None:
        """Take frames and acknowledge them until the socket closes."""
        async with await self.open(f"/facevis/stream/{token}") as stream:
            async for message in stream:
                if isinstance(message, bytes):
                    self.take(message)
                    await stream.send('{"type":"ack"}')

    def take(self, frame: bytes) -> None:
        (length,) = struct.unpack_from("<I", frame)
        header, now = json.loads(frame[4 : 4 + length]), time.time() * 1000
        if header["time"]:  # the recording so far has none
            self.frames.append((now, now - header["time"], header["step"]))


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def seen(students: list[Student], start: float, end: float) -> dict:
    """What a crowd saw between two moments, ms."""
    within = [[f for f in student.frames if start < f[0] <= end] for student in students]
    rates = [1000 * len(frames) / (end - start) for frames in within]
    ages = [age for frames in within for _, age, _ in frames] or [float("inf")]
    first = within[0] or [(start, 0.0, 0), (end, 0.0, 0)]
    steps = (first[-1][2] - first[0][2]) / (first[-1][0] - first[0][0]) * 1000
    return {
        "slowest, snapshots/s": round(min(rates), 2),
        "median, snapshots/s": round(statistics.median(rates), 2),
        "age p50, ms": round(quantile(ages, 0.5)),
        "age p95, ms": round(quantile(ages, 0.95)),
        "steps/s": round(steps, 1),
    }


async def seated(url: str, code: str, count: int) -> list[Student]:
    students = [Student(url, code) for _ in range(count)]
    await asyncio.gather(*(student.join() for student in students))
    return students


async def watch(url: str, code: str, count: int, settle: float, seconds: float) -> None:
    """All look at the lecturer's run; what they saw after a while of settling."""
    students = await seated(url, code, count)
    state = await students[0].state(lambda state: state["scene"]["kind"] == "run")
    token = state["scene"]["token"]
    watching = [asyncio.create_task(student.watch(token)) for student in students]
    await asyncio.sleep(settle)
    start = time.time() * 1000
    tell(event="begin")
    await asyncio.sleep(seconds)
    tell(**seen(students, start, time.time() * 1000))
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)


async def own(url: str, code: str, count: int, settle: float, seconds: float) -> None:
    """Each trains a configuration of its own, all asked for at once."""
    students = await seated(url, code, count)
    asked = time.time() * 1000

    async def attempt(place: int, student: Student) -> None:
        query = {"loss": "arcface", "seed": str(1000 + place), "steps": "3000"}
        status, content, _ = await asyncio.to_thread(
            post, url, "/facevis/try", {"query": query}, student.cookie
        )
        assert status == 200, (status, content)
        await student.watch(json.loads(content)["token"])

    trying = [asyncio.create_task(attempt(i, student)) for i, student in enumerate(students)]
    await asyncio.sleep(settle)
    assert all(student.frames for student in students), "somebody has no picture yet"
    start = time.time() * 1000
    await asyncio.sleep(seconds)
    found = seen(students, start, time.time() * 1000)
    found.pop("steps/s")
    waits = [student.frames[0][0] - asked for student in students]
    tell(**found, **{"longest wait for a first picture, s": round(max(waits) / 1000, 2)})
    for task in trying:
        task.cancel()
    await asyncio.gather(*trying, return_exceptions=True)


async def cycle(url: str, code: str, times: int, together: int) -> None:
    """Join, look, and vanish without a word: half with a reset, half as if the cable were cut."""

    async def once(place: int) -> None:
        student = Student(url, code)
        await student.join()
        state = await student.state()
        watching = asyncio.create_task(student.watch(state["scene"]["token"]))
        while not student.frames:
            await asyncio.sleep(0.005)
        transport = student.seat.transport
        if place % 2:
            linger = struct.pack("ii", 1, 0)
            transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, linger
            )
        transport.abort()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)

    for begin in range(0, times, together):
        await asyncio.gather(*(once(i) for i in range(begin, min(times, begin + together))))
    tell(event="done")


async def vote(url: str, code: str, count: int) -> None:
    """All vote before the lecturer opens, all at once when asked to, again, and after the end."""
    students = await seated(url, code, count)
    lesson = (await students[0].state(lambda s: s["poll"]))["poll"]["lesson"]

    async def one(student: Student, choice: int) -> str:
        await student.seat.send(json.dumps({"type": "vote", "lesson": lesson, "choice": choice}))
        while True:
            message = json.loads(await student.seat.recv())
            if message["type"] == "voted":
                return message["result"]

    async def all_vote(shift: int) -> dict[str, int]:
        votes = [one(student, (i + shift) % 3) for i, student in enumerate(students)]
        results = await asyncio.gather(*votes)
        return {result: results.count(result) for result in set(results)}

    tell(before=await all_vote(0))
    await told()
    began = time.monotonic()
    results = await all_vote(0)
    tell(open=results, seconds=round(time.monotonic() - began, 3))
    tell(again=await all_vote(1))
    await told()
    tell(after=await all_vote(2))
    late = Student(url, code)
    await late.join()
    tell(late=(await late.state())["poll"])
    await told()


COMMANDS = {"watch": watch, "own": own, "cycle": cycle, "vote": vote}


if __name__ == "__main__":
    name, address, word, *numbers = sys.argv[1:]
    asyncio.run(COMMANDS[name](address, word, *(int(number) for number in numbers)))
