"""A verification set that wants something run is refused with a sentence, and nothing is run."""

import pickle
import struct
import sys
import time
import tracemalloc

import numpy as np
import pytest

from facevis.corpora import pickled
from facevis.corpora.bins import read_bin

PICTURES = [b"\xff\xd8 one", b"\xff\xd8 two"]

watching, events = [], []
sys.addaudithook(lambda event, _: events.append(event) if watching else None)


def refused(folder, data):
    """The sentence with which a file is refused, while Python reports whatever happens.

    Every import, every name that a pickle looks up, every file and every call of the system is
    such an event. The file itself is opened and mapped, and that is all.
    """
    (folder / "set.bin").write_bytes(data)
    before = set(sys.modules)
    events.clear()
    watching.append(True)
    try:
        read_bin(folder / "set.bin")
    except ValueError as error:
        said = str(error)
    else:
        pytest.fail("it was read")
    finally:
        watching.clear()
    assert set(events) == {"open", "mmap.__new__"}
    assert set(sys.modules) == before
    assert [path.name for path in folder.iterdir()] == ["set.bin"]
    assert said.startswith(("set.bin ", "set.bin, "))
    assert said.endswith(".")
    assert "\n" not in said
    return said


def text(words):
    return b"\x8c" + bytes([len(words)]) + words.encode()


def called(module, name, argument):
    """The ways to call ``module.name(argument)``, by the instruction."""
    named = f"c{module}\n{name}\n".encode()
    stacked = text(module) + text(name) + b"\x93"
    given = f"S'{argument}'\n".encode()
    return {
        "GLOBAL": named + b"(" + given + b"tR.",
        "STACK_GLOBAL": b"\x80\x04" + stacked + text(argument) + b"\x85R.",
        "INST": b"(" + given + f"i{module}\n{name}\n.".encode(),
        "OBJ": b"(" + named + given + b"o.",
        "REDUCE after memo": named + b"p0\n0g0\n(" + given + b"tR.",
    }


def test_the_payloads_below_do_run_elsewhere(tmp_path):
    """Otherwise that nothing happens would prove nothing."""
    for instruction, data in called("os", "mkdir", str(tmp_path / "ran")).items():
        pickle.loads(data)
        assert (tmp_path / "ran").is_dir(), instruction
        (tmp_path / "ran").rmdir()


@pytest.mark.parametrize("instruction", called("os", "mkdir", "x"))
@pytest.mark.parametrize("inside", [False, True])
def test_a_call_is_refused_and_not_made(tmp_path, instruction, inside):
    data = called("os", "mkdir", "ran")[instruction]
    if inside:  # as one of the pictures, after good ones
        good = pickle.dumps(PICTURES, 2)
        data = good[: good.rindex(b"e.")] + data[:-1] + b"e."
    said = refused(tmp_path, data)
    assert "so nothing of it was run: get the file again" in said
    # The instruction that would call is not reached, since the name alone is refused.
    assert "os.mkdir" in said or "instruction" in said
    assert [path.name for path in tmp_path.iterdir()] == ["set.bin"]


NAMES = {
    "os": "system",
    "posix": "system",
    "nt": "system",
    "subprocess": "Popen check_output",
    "pty": "spawn",
    "builtins": "eval exec compile open getattr __import__ bytearray object print breakpoint",
    "__builtin__": "eval file apply",
    "__main__": "run",
    "pickle": "loads _Unpickler",
    "_pickle": "loads",
    "marshal": "loads",
    "shelve": "open",
    "dill": "loads",
    "cloudpickle": "loads",
    "types": "FunctionType CodeType",
    "functools": "partial",
    "operator": "attrgetter methodcaller",
    "importlib": "import_module",
    "runpy": "run_path _run_code",
    "code": "interact",
    "codecs": "open encode",
    "_codecs": "decode lookup",
    "copyreg": "_reconstructor __newobj__",
    "copy_reg": "_reconstructor",
    "ctypes": "CDLL",
    "webbrowser": "open",
    "socket": "socket",
    "asyncio": "run",
    "pip": "main",
    "timeit": "timeit",
    "cProfile": "run",
    "numpy": "load fromfile memmap save matrix recarray",
    "numpy.lib.npyio": "load",
    "numpy.lib.format": "read_array",
    "numpy.testing._private.utils": "runstring",
    "numpy.core.multiarray": "fromfile",
    "numpy._core.records": "fromfile",
    "numpy.core.numeric._frombuffer": "x",
    "numpy._core.multiarray": "frombuffer",
    "numpy.f2py.crackfortran": "myeval",
    "numpy.random": "__RandomState_ctor",
    "torch": "load",
    "torch._utils": "_rebuild_tensor",
    "joblib": "load",
    "pandas": "read_pickle",
    "sys": "exit modules",
}
"""Modules, and the names in each."""


@pytest.mark.parametrize("module", NAMES)
def test_no_other_name_is_looked_up(tmp_path, module):
    for name in NAMES[module].split():
        for data in called(module, name, "x").values():
            said = refused(tmp_path, data)
            assert f"asks for {module}.{name};" in said
            assert "nothing of it was run" in said


OTHERS = {
    "BUILD of a list": b"]}b.",
    "BUILD with a state": b"]S'__setstate__'\nb.",
    "BUILD of a type's fields": b"cnumpy\ndtype\n(S'u1'\ntR(I3\nS'|'\nNS'x'\nNI-1\nI-1\nI0\ntb.",
    "NEWOBJ": b"\x80\x02cnumpy\nndarray\n)\x81.",
    "NEWOBJ_EX": b"\x80\x04cnumpy\nndarray\n)N\x92.",
    "EXT1": b"\x80\x02\x82\x01.",
    "EXT2": b"\x80\x02\x83\x01\x00.",
    "EXT4": b"\x80\x02\x84\x01\x00\x00\x00.",
    "PERSID": b"Pname\n.",
    "BINPERSID": b"S'name'\nQ.",
    "NEXT_BUFFER": b"\x80\x05\x97.",
    "DICT": b"(S'a'\nI1\nd.",
    "SETITEM": b"]S'a'\nI1\ns.",
    "EMPTY_SET": b"\x80\x04\x8f.",
    "FROZENSET": b"\x80\x04(\x91.",
    "FLOAT": b"F1.5\n.",
    "LONG4": b"\x80\x02\x8b\x04\x00\x00\x00\x01\x00\x00\x00.",
    "a number of many digits": b"\x80\x02\x8a\x09" + b"\x01" * 9 + b".",
    "REDUCE of bytes": b"U\x01xU\x01y\x85R.",
    "REDUCE of a class": b"cnumpy\nndarray\n(I1\ntR.",
    "REDUCE of a name with a list": b"cnumpy\ndtype\n]R.",
    "an array of objects": pickle.dumps(np.array([None]), 2),
    "an array of floats": pickle.dumps(np.array([1.0]), 2),
    "an array of texts": pickle.dumps(np.array(["x"]), 2),
    "an array with fields": pickle.dumps(np.zeros(1, [("a", "u1")]), 2),
    "an array of another class": pickle.dumps(np.zeros(1, np.uint8).view(np.matrix), 2),
    "a masked array": pickle.dumps(np.ma.zeros(1, np.uint8), 2),
    "a number of NumPy's": pickle.dumps(np.uint8(3), 2),
    "a bytearray": pickle.dumps(bytearray(b"x"), 2),
    "a text in another coding": b"c_codecs\nencode\n(Vx\nVrot13\ntR.",
    "a call of bytes": b"c__builtin__\nbytes\n(I1000000000\ntR.",
}


@pytest.mark.parametrize("what", OTHERS)
def test_whatever_a_set_has_no_use_for_is_refused(tmp_path, what):
    said = refused(tmp_path, OTHERS[what])
    assert "nothing of it was run" in said
    first = what.split()[0]
    if first.isupper() and first not in ("BUILD", "REDUCE"):
        assert f"holds the instruction {first};" in said


def test_an_array_that_is_not_as_long_as_it_says_is_refused(tmp_path):
    data = pickle.dumps(([np.arange(7, dtype=np.uint8)] * 2, [True]), 2)
    assert b"K\x07\x85" in data
    for shape in (b"K\x08\x85", b"K\x06\x85", b"J\xff\xff\xff\xff\x85", b"N\x85", b"]\x85", b"]"):
        said = refused(tmp_path, data.replace(b"K\x07\x85", shape))
        assert "numbers with 7 in it" in said or "an array without a shape" in said


# -- bombs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bomb",
    [
        # Lists that hold the one before twice: 2^60 of them, if somebody wrote them out.
        b"]\x94" + b"".join(b"]\x94(h%ch%ce" % (k, k) for k in range(60)) + text("x") + b"\x93.",
        b")" + b"\x85" * 300_000 + text("x") + b"\x93.",  # deeper than any recursion
        b"(" * 300_000 + b".",
        b"]" * 300_000 + b"a" * 299_999 + b".",
        b"Vos\n" + b"\x85" * 300_000 + b"N\x86.",
    ],
)
def test_what_is_nested_or_repeated_takes_no_time_and_no_memory(tmp_path, bomb):
    began = time.monotonic()
    refused(tmp_path, bomb)
    assert time.monotonic() - began < 5


def test_a_text_is_not_made_into_bytes_over_and_over(tmp_path):
    big = b"X" + struct.pack("<I", 1_000_000) + b"a" * 1_000_000
    data = b"\x80\x02](" + big + b"q\x00"
    data += b"c_codecs\nencode\nq\x01h\x00X\x06\x00\x00\x00latin1q\x02\x86R"
    data += b"h\x01h\x00h\x02\x86R" * 2000 + b"e."
    tracemalloc.start()
    try:
        assert "one text many times" in refused(tmp_path, data)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


HUGE = [2**31 - 1, 2**32 - 1, 2**63 - 1, 2**64 - 1]


@pytest.mark.parametrize("code", [b"B", b"X", b"T", b"\x8d", b"\x8e", b"\x96", b"\x95"])
@pytest.mark.parametrize("length", HUGE)
def test_a_length_that_the_file_does_not_have_takes_no_memory(tmp_path, code, length):
    width = "<Q" if code in b"\x8d\x8e\x96\x95" else "<I"
    if length >= 2 ** (8 * struct.calcsize(width)):
        return
    tracemalloc.start()
    try:
        refused(tmp_path, b"\x80\x05" + code + struct.pack(width, length) + b"x" * 100)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()


def test_endless_instructions_end(tmp_path, monkeypatch):
    monkeypatch.setattr(pickled, "MAX_STEPS", 1000)
    assert "holds more than 1,000 instructions" in refused(tmp_path, b"N" * 1001 + b".")
