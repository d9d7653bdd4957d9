"""Children that meet faults while they write.

A child is forked for each fault: one is killed before its n-th call that touches a file, another
has a disk of its own that is full and then read-only.
"""

import ctypes
import json
import os
import signal
import sys
import traceback
from pathlib import Path

TOUCHES = {"open", "write", "writelines", "tofile", "flush", "close", "__exit__", "fsync", "sync"}
TOUCHES |= {"replace", "rename", "mkdir", "rmdir", "unlink", "truncate", "ftruncate"}
"""Calls before which a child may be killed: between them nothing changes on a disk."""


def names_in(folder):
    """What lies in a folder, at any depth."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def calls_of(work):
    """How many calls that touch a file the work takes, counted in a child that comes to its end."""
    ours, theirs = os.pipe()
    made = 0

    def count(frame, event, function):
        nonlocal made
        made += event == "c_call" and function.__name__ in TOUCHES

    child = os.fork()
    if child == 0:
        try:
            sys.setprofile(count)
            work()
        finally:
            sys.setprofile(None)
            os.write(theirs, str(made).encode())
            os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return int(told)


def killed_at(call, work):
    """Whether a child that did the work was killed before its n-th call that touches a file."""
    child = os.fork()
    if child == 0:
        left = call

        def count(frame, event, function):
            nonlocal left
            if event == "c_call" and function.__name__ in TOUCHES:
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.setprofile(count)
            work()
            sys.setprofile(None)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, -signal.SIGKILL)
    return code != 0


class NoDiskOfItsOwn(Exception):
    """This system lets nobody have one."""


def with_small_disk(folder, work):
    """What ``work`` returns in a child for which the folder is a disk of 2 MiB; plain data."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(ours)
        try:
            mount(folder)
            told = {"found": work()}
        except NoDiskOfItsOwn:
            told = {"no disk": True}
        except BaseException:
            told = {"error": traceback.format_exc()}
        with os.fdopen(theirs, "w") as pipe:
            json.dump(told, pipe)
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as pipe:
        told = json.load(pipe)
    os.waitpid(child, 0)
    if "no disk" in told:
        raise NoDiskOfItsOwn
    assert "error" not in told, told["error"]
    return told["found"]


def mount(folder, *, read_only=False):
    """A disk of this process' own in place of a folder, or that disk read-only."""
    new_namespace, new_users, private, remount = 0x20000, 0x10000000, 0x44000, 32
    libc = ctypes.CDLL(None, use_errno=True)
    if read_only:
        if libc.mount(b"none", os.fsencode(folder), b"tmpfs", remount | 1, None):
            raise NoDiskOfItsOwn
        return
    user, group = os.getuid(), os.getgid()
    if libc.unshare(new_namespace | (new_users if user else 0)):
        raise NoDiskOfItsOwn
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    options = b"size=2m,mode=777"
    if libc.mount(b"none", b"/", None, private, None) or libc.mount(
        b"none", os.fsencode(folder), b"tmpfs", 0, options
    ):
        raise NoDiskOfItsOwn


def fill(folder):
    """A file that takes all the room that is left."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return path
